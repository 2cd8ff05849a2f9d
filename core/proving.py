"""What is kept of a wish while somebody proves who they are.

Owns the note's name. Not here: the form (handlers/identity.py), codes (app/store/codes.py), reading a "yes" to the
question whether to go on with it (app/hearing.py).
"""

RESUME = "resume"  # the note: what was wanted before proof was asked for
