// What the modules share: who is signed in, and events between them.

export const session = { me: null, counts: { handoffs: 0, mine: 0 } };
const listeners = new Map();

export function on(name, act) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(act);
  return () => listeners.get(name).delete(act);
}

export function emit(name, detail) {
  for (const act of [...(listeners.get(name) || [])]) act(detail);
}

// At most one run per interval, and always one after the last call.
export function calm(act, milliseconds) {
  let timer = null;
  let running = false;
  let again = false;
  const run = async () => {
    timer = null;
    if (running) { again = true; return; }
    running = true;
    try { await act(); } finally {
      running = false;
      if (again) { again = false; schedule(); }
    }
  };
  const schedule = () => { if (timer === null) timer = setTimeout(run, milliseconds); };
  return schedule;
}
