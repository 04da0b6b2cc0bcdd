import type { Migration, SchemaWords } from './index.ts'

/** Which image layouts backends on IPFS hold whole, and which they are to be given. */
export const layoutPins: Migration = {
  version: 8,
  name: 'layout-pins',
  // One more table and a column with a default: what older programs store is found to be due.
  worksFrom: 5,
  statements: ({ text, bytes, integer, indexTable }: SchemaWords) => [
    // When it is to be looked again whether the layout is pinned wherever it can be.
    `ALTER TABLE layouts ADD COLUMN pin_due_at ${integer} NOT NULL DEFAULT 0`,
    `CREATE INDEX layouts_pin_due ON layouts (pin_due_at) WHERE stored`,
    `CREATE INDEX layouts_by_root ON layouts (root) WHERE stored`,
    // A row is there before its pin, and goes after it. Equal layouts of several repositories have one.
    `CREATE TABLE layout_pins (
      root ${bytes} NOT NULL,
      backend ${text} NOT NULL,
      pinned_at ${integer},
      looked_at ${integer} NOT NULL,
      PRIMARY KEY (root, backend)
    )${indexTable}`,
    `CREATE INDEX layout_pins_looked_at ON layout_pins (backend, looked_at)`,
  ],
}
