/** Reading CMAF: facts out of bytes, or a CmafError. */
export { readFragments } from './reader-fragments.ts';
export type { FragmentFacts, SampleFacts } from './reader-fragments.ts';
export { readInit } from './reader-init.ts';
export type { InitFacts, SampleDefaults } from './reader-init.ts';
