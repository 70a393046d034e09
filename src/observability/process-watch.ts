const CHECK_MS = 500;
const BLOCKED_MS = 1000;

/**
 * Calls `onFatal` with one sentence and the error when nothing caught it: the state of the process is unknown from then
 * on, so the caller ends it. Returns a function that takes the handlers away.
 */
export const watchUncaught = (onFatal: (sentence: string, error: unknown) => void): (() => void) => {
  const onException = (error: unknown): void => onFatal('an error that nothing caught ends the process', error);
  const onRejection = (error: unknown): void =>
    onFatal('a rejected promise that nothing awaited ends the process', error);
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
};

/**
 * Says for how long the deciding thread stood still, when that was more than a second: every request waited for so
 * long. Seen by a timer that comes late, so a pause is told once, after it ended. Returns a function that ends the watch.
 */
export const watchEventLoop = (
  onBlocked: (ms: number) => void,
  limits: { readonly checkMs: number; readonly blockedMs: number } = { checkMs: CHECK_MS, blockedMs: BLOCKED_MS },
): (() => void) => {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const lateMs = now - last - limits.checkMs;
    last = now;
    if (lateMs > limits.blockedMs) onBlocked(Math.round(lateMs));
  }, limits.checkMs).unref();
  return () => clearInterval(timer);
};
