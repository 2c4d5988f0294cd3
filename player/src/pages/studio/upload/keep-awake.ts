/** Keeps the screen of a phone on while bytes move: a phone that sleeps stops sending. Where it may not, nothing is lost. */
let wanted = false;
let lock: WakeLockSentinel | null = null;

const hold = async (): Promise<void> => {
  // Only secure pages have it, and only what is seen may ask.
  if (!('wakeLock' in navigator) || document.hidden || lock) return;
  try {
    lock = await navigator.wakeLock.request('screen');
  } catch {
    return; // the battery is low, or the system does not want to
  }
  lock.addEventListener('release', () => {
    lock = null;
  });
  if (!wanted) void lock.release();
};

// The system takes it back whenever the page is hidden.
document.addEventListener('visibilitychange', () => {
  if (wanted) void hold();
});

export const keepAwake = (on: boolean): void => {
  if (on === wanted) return;
  wanted = on;
  if (on) void hold();
  else void lock?.release();
};
