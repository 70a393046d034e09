import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Not below node_modules: an install would find it growing while it empties that folder.
  cacheDir: '.cache/vitest',
  test: {
    include: ['test/**/*.test.ts'],
    // Two test files at a time: several of them start servers and compile policies of their own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
