"""Stand-ins of the providers' APIs and, later, the page that shows a phone, a mailbox and Slack.

Development and tests only. They speak the providers' REST shapes, sign what they send to us, keep
everything in memory and can be told to fail.
"""
