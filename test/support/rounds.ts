/** How often a fault test goes round: `all` in CI (`VERDICT_ALL_TESTS=1`), `few` where somebody waits for `npm test`. */
export const rounds = (all: number, few: number): number => (process.env.VERDICT_ALL_TESTS === '1' ? all : few);
