import type { Migration } from './index.ts'

/** When the network was told of the roots of images and repositories, and when it is to be told again. */
export const announcements: Migration = {
  version: 14,
  name: 'announcements',
  // Columns that are empty or have a default: older programs announce nothing, and what they store is found to be due.
  worksFrom: 5,
  statements: ({ integer }) => [
    `ALTER TABLE layouts ADD COLUMN announced_at ${integer}`,
    `ALTER TABLE layouts ADD COLUMN announce_due_at ${integer} NOT NULL DEFAULT 0`,
    `CREATE INDEX layouts_announce_due ON layouts (announce_due_at) WHERE stored`,
    `ALTER TABLE directories ADD COLUMN announce_due_at ${integer} NOT NULL DEFAULT 0`,
    `CREATE INDEX directories_announce_due ON directories (announce_due_at)`,
  ],
}
