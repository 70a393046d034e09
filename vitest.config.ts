import { defineConfig } from 'vitest/config';

// What follows whole guides, builds the image's layout and asks the benchmark's questions takes minutes: CI runs it, and
// whoever sets VERDICT_ALL_TESTS=1.
const isAll = process.env.VERDICT_ALL_TESTS === '1';
const long = ['test/guides/**', 'test/bench/**', 'test/deploy/image.test.ts'];

export default defineConfig({
  // Not below node_modules: an install would find it growing while it empties that folder.
  cacheDir: '.cache/vitest',
  test: {
    include: ['test/**/*.test.ts'],
    exclude: isAll ? [] : long,
    // Two test files at a time: several of them start servers and compile policies of their own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
