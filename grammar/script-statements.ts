import type { OptionScope } from './option-shape.js';
import type { SourceText } from './source-text.js';
import type { Statement } from './syntax.js';

export function* scriptStatements(_source: SourceText, _scope: (program: string) => OptionScope): Generator<Statement, void> {
  // placeholder
}
