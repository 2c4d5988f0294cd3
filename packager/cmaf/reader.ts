/** Reading CMAF: facts out of bytes, or a CmafError. Their types stand beside the functions. */
export { readFragments } from './reader-fragments.ts';
export { readInit } from './reader-init.ts';
