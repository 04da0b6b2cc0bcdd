import type { Migration, SchemaWords } from './index.ts'

/** On whose account backends hold image layouts, and which of these are being given to them. */
export const layoutPinOwners: Migration = {
  version: 13,
  name: 'layout-pin-owners',
  // One more table and a column with a default: what older programs pin is found by its layout alone.
  worksFrom: 5,
  statements: ({ text, bytes, boolean, indexTable }: SchemaWords) => [
    // Whoever is giving the blocks ends the pin; nobody else forgets the row before.
    `ALTER TABLE layout_pins ADD COLUMN under_way ${boolean} NOT NULL DEFAULT FALSE`,
    // Which repositories a pin was made for: it may outlive their manifests, and goes before they may be private.
    `CREATE TABLE layout_pin_owners (
      repository_id ${text} NOT NULL,
      root ${bytes} NOT NULL,
      backend ${text} NOT NULL,
      PRIMARY KEY (repository_id, root, backend)
    )${indexTable}`,
    `CREATE INDEX layout_pin_owners_by_root ON layout_pin_owners (root, backend)`,
    `INSERT INTO layout_pin_owners (repository_id, root, backend)
      SELECT DISTINCT m.repository_id, p.root, p.backend
      FROM layout_pins AS p JOIN layouts AS y ON y.root = p.root AND y.stored
      JOIN manifests AS m ON m.id = y.manifest_id`,
  ],
}
