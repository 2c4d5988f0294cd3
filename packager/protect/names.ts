/**
 * Names below `/play/<grant>/<video>/keys/`, made and parsed in one place:
 *
 *     <id of a key, 32 hex digits>     its 16 bytes, for HLS
 *     licence                          what a browser's ClearKey asks (POST), for DASH
 */
export const keysFolder = 'keys';
export const licenceName = 'licence';

const idShape = /^[0-9a-f]{32}$/;

export const keyFileName = (kid: Buffer): string => kid.toString('hex');

export const parseKeyName = (name: string): Buffer | null => (idShape.test(name) ? Buffer.from(name, 'hex') : null);
