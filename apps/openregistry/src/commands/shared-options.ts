import { Option } from 'commander'

/** `--json`, which every command has. */
export function jsonOption(said = 'print JSON, for scripts'): Option {
  return new Option('--json', said)
}

/** The examples at the end of a help text. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
