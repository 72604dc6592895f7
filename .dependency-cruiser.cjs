/**
 * The layers, lowest first. A file imports only from lower layers or from its own: what stands in one
 * list beside another is a sibling, and siblings do not know each other.
 */
const layers = [
  ['^grammar/'],
  ['^analyzer/values/', '^analyzer/packet/'],
  ['^analyzer/extensions/'],
  ['^analyzer/model/'],
  ['^analyzer/finding\\.ts$'],
  ['^analyzer/netfilter/', '^analyzer/packet-space/'],
  ['^analyzer/generate/'],
  ['^analyzer/witness/'],
  ['^analyzer/fuzz/'],
  ['^analyzer/checks/', '^analyzer/suppress/'],
  ['^analyzer/examine\\.ts$'],
  ['^analyzer/fixes/'],
  ['^analyzer/(decide|claims)\\.ts$'],
  ['^analyzer/(analyze|test-check)\\.ts$'],
  ['^report/'],
  ['^kernel/'],
  ['^cli/'],
];

/** analyzer/values and analyzer/packet are one layer of two folders that may use each other. */
const friends = new Set(['^analyzer/values/', '^analyzer/packet/']);

const forbidden = layers.flatMap((layer, level) => layer.map(folder => {
  const siblings = layer.filter(other => other !== folder && !friends.has(other));
  return {
    name: `above ${folder}`,
    comment: `${folder} stands in a layer below, or beside, what it imports`,
    severity: 'error',
    from: { path: folder },
    to: { path: [...siblings, ...layers.slice(level + 1).flat(), '^index\\.ts$'] },
  };
}));

module.exports = {
  forbidden: [
    /** Types may name each other: they are gone when the program runs. */
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'io-only-in-cli', comment: 'the command line reads and writes, and what asks the kernel runs programs', severity: 'error', from: { pathNot: '^(cli|kernel)/' }, to: { path: '^(node:)?(fs|fs/promises|child_process|http|https)$' } },
    {
      name: 'engine-on-demand', comment: 'the engine is loaded where there is a witness to replay: most of a start would be its', severity: 'error',
      from: { path: '^analyzer/(checks/|examine\\.ts$)' }, to: { path: '^analyzer/(netfilter/|witness/(replay|compare|host-plan)\\.ts$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'engine-on-demand-in-cli', severity: 'error',
      from: { path: '^cli/' }, to: { path: '^analyzer/analyze\\.ts$', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    { name: 'fast-check-on-demand', comment: 'arbitraries are handed fast-check: only those load it who ask for them', severity: 'error', from: { path: '^(grammar|analyzer|report|kernel|index\\.ts)' }, to: { path: 'node_modules/fast-check', dependencyTypesNot: ['type-only'] } },
    {
      name: 'fast-check-on-demand-in-cli', severity: 'error',
      from: { path: '^cli/' }, to: { path: 'node_modules/fast-check', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    ...forbidden,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
