// What the pages call things.

export const CHANNELS = { web: "Web chat", sms: "SMS", email: "Email", slack: "Slack", whatsapp: "WhatsApp", voice: "Phone", api: "API", console: "Console" };
export const channel = (name) => CHANNELS[name] || name;

export const STATUS = { open: "Open", waiting_customer: "Waiting for customer", waiting_us: "Waiting for us", snoozed: "Snoozed", resolved: "Resolved" };

export const DELIVERY = {
  queued: ["Queued", "clock"], claimed: ["Sending", "clock"], sent: ["Sent", "check"], delivered: ["Delivered", "checks"],
  read: ["Read", "checks"], unknown: ["In flight: asking the provider", "clock"], dead: ["Not delivered", "alert"],
  dropped: ["Dropped, not sent", "close"], discarded: ["Discarded, not sent", "close"], expired: ["Expired, not sent", "close"],
  proposed: ["Not sent yet", "pencil"],
};

export const MODES = [["", "Team setting"], ["auto", "Bot answers"], ["draft", "Bot drafts"], ["manual", "A person answers"]];
export const mode = (value) => Object.fromEntries(MODES)[value || ""] || value;

export const ASSURANCE = {
  proven: ["Proven", "Signed, authenticated or confirmed by a person"],
  channel: ["Channel", "The provider vouches for this address"],
  claimed: ["Claimed", "Only what they said: not proven"],
};

export const PROOF = { email: "Proven by mail", phone: "Proven by phone", external: "Proven by sign-in", web: "Proven by sign-in" };

export const MOVED = { identities: ["address", "addresses"], conversations: ["conversation"], bookings: ["booking"], facts: ["note"] };

export const PURPOSE = { survey: "Survey", reminder: "Reminder of a session", resend: "Word that an answer waits", nudge: "Nudge", offer: "Offer", correction: "Correction" };
export const UNASKED = {
  opted_out: "they said STOP", no_consent: "they never said yes to it", crisis: "somebody may be in danger", handoff: "a person is asked for", complaint: "a complaint is open",
  weekly_cap: "enough was sent this week", too_late: "it would have come too late", quiet_hours: "it was night for them", nowhere: "no verified address", booking_changed: "the session was moved or called off",
};

export const ACTIONS = { answer: "Answered from the docs", ask_back: "Asked back", decline: "Said it does not know", handoff: "Asked for a person" };

export const LIMITS = {
  no_tools: "No bookings, quotes or changes: it may only talk", no_memory: "Nothing of it is remembered", quote_only: "Only the docs' own sentences, no language model",
};

export const who = (row) => row.contact || row.external_id || `Visitor ${String(row.contact_id || "").slice(-4)}`;
export const plural = (n, one, many) => `${n} ${n === 1 ? one : many || `${one}s`}`;
export const tidy = (code) => String(code).replace(/[_.]/g, " ");
