import { defineConfig } from 'vitest/config'
import { testProjects } from './tools/test/projects.ts'

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // A test that passes at the second attempt hides a race; none is tried again.
    retry: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: testProjects.map((project) => ({
      extends: true,
      test: {
        name: project.name,
        include: [...project.include],
        exclude: ['**/node_modules/**', ...project.exclude],
        fileParallelism: project.parallel,
        ...(project.parallel ? {} : { maxWorkers: 1 }),
        testTimeout: project.testTimeout,
        ...(project.again === undefined ? {} : { env: project.again }),
        ...(project.setup === undefined ? {} : { setupFiles: [project.setup] }),
        sequence: { groupOrder: project.order },
      },
    })),
  },
})
