import { Option } from 'commander'

/** `--json`, which every command has. */
export function jsonOption(said = 'print JSON, for scripts'): Option {
  return new Option('--json', said)
}

/** Reads an option that may be given several times. */
export function several(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** The examples at the end of a help text. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
