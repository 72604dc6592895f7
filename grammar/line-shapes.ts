/**
 * Lines repeat. A file of 100,000 rules has a few dozen shapes: the same options in the same order,
 * with other values. The grammar is run once for each shape; a later line of that shape is
 * recognised by walking its words through a tree, and only its values are taken from it.
 * What leads through the tree is all that the grammar looks at: the option words and `!`
 * themselves, that there is a plain word at a place, and the values that load an extension.
 */
import type { OptionScope, OptionShape, ResolvedOption } from './option-shape.js';
import type { Span } from './source-text.js';
import type { OptionNode, WordNode } from './syntax.js';
import { Bang, Counters, OptionWord, type Token } from './tokens.js';

/** An option of a shape; numbers are indices of the line's words. */
export interface ShapeOption {
  readonly bang: number | undefined;
  readonly name: number;
  readonly firstArgument: number;
  readonly arguments: number;
  readonly shape: OptionShape;
  readonly scope: OptionScope;
}

/** What lines of one shape have in common. */
export interface LineShape {
  /** Whether the line begins with counters. */
  readonly counters: boolean;
  readonly options: readonly ShapeOption[];
}

/** More than this many shapes are not kept: such a file gains nothing from them. */
const shapeLimit = 20_000;

class Step {
  readonly byWord = new Map<string, Step>();
  plain: Step | undefined;
  /** Behind an option that loads: its value leads on by what scope it makes. */
  loading: ResolvedOption | undefined;
  readonly byScope = new Map<OptionScope, Step>();
  shape: LineShape | undefined;
}

/** The shapes seen so far under one start scope. */
export class LineShapes {
  readonly #root = new Step();
  #count = 0;

  /** The shape of a line with these words, if such a line was kept before. */
  find(tokens: readonly Token[]): LineShape | undefined {
    let step: Step | undefined = this.#root;
    for (const token of tokens) {
      step = this.#next(step, token);
      if (step === undefined) return undefined;
    }
    return step.shape;
  }

  #next(step: Step, token: Token): Step | undefined {
    const { tokenType } = token;
    if (step.loading !== undefined) {
      let next = step.byWord.get(token.image);
      if (next === undefined) {
        // Another value that makes a known scope, as the name of another chain.
        next = step.byScope.get(step.loading.scope.after(step.loading, token.image));
        if (next !== undefined && step.byWord.size < shapeLimit) step.byWord.set(token.image, next);
      }
      return next;
    }
    return tokenType === OptionWord || tokenType === Bang || tokenType === Counters ? step.byWord.get(tokenType === Counters ? '[' : token.image) : step.plain;
  }

  /** Keeps the shape of a line that was parsed without any problem. */
  keep(tokens: readonly Token[], shape: LineShape): void {
    if (this.#count >= shapeLimit) return;
    this.#count++;
    const loads = new Map(shape.options.flatMap(option => {
      const name = tokens[option.name]?.image ?? '';
      const resolved = option.arguments > 0 && option.firstArgument === option.name + 1 ? this.#loader(option, name) : undefined;
      return resolved === undefined ? [] : [[option.firstArgument, resolved] as const];
    }));
    let step = this.#root;
    for (const [index, token] of tokens.entries()) {
      const load = loads.get(index);
      if (load !== undefined) step.loading = load;
      step = this.#grow(step, token);
    }
    step.shape = shape;
  }

  #loader(option: ShapeOption, name: string): ResolvedOption | undefined {
    const resolved = option.scope.resolve(name);
    return resolved?.loads === true ? resolved : undefined;
  }

  #grow(step: Step, token: Token): Step {
    if (step.loading !== undefined) {
      const scope = step.loading.scope.after(step.loading, token.image);
      const next = step.byScope.get(scope) ?? new Step();
      step.byScope.set(scope, next);
      step.byWord.set(token.image, next);
      return next;
    }
    const { tokenType } = token;
    if (tokenType !== OptionWord && tokenType !== Bang && tokenType !== Counters) return step.plain ??= new Step();
    const key = tokenType === Counters ? '[' : token.image;
    const next = step.byWord.get(key) ?? new Step();
    step.byWord.set(key, next);
    return next;
  }
}

/** The option nodes of a line of this shape. */
export function optionsOf(shape: LineShape, words: readonly WordNode[]): OptionNode[] {
  return shape.options.flatMap(option => {
    const name = words[option.name];
    if (name === undefined) return [];
    const bang: Span | undefined = option.bang === undefined ? undefined : words[option.bang];
    const args = words.slice(option.firstArgument, option.firstArgument + option.arguments);
    return [{
      start: (bang ?? name).start, end: (args.at(-1) ?? name).end,
      bang: bang === undefined ? undefined : { start: bang.start, end: bang.end },
      name, args, shape: option.shape, scope: option.scope,
    }];
  });
}
