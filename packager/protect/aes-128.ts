/** METHOD=AES-128 of HLS (RFC 8216, 5.2): a whole file in CBC with PKCS #7, begun anew for each file. */
import { createCipheriv, webcrypto } from 'node:crypto';

export const aes128 = (bytes: Buffer, key: Buffer, iv: Buffer): Buffer => {
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  const first = cipher.update(bytes);
  return Buffer.concat([first, cipher.final()], aes128Size(bytes.length));
};

/** The padding is 1 to 16 bytes. */
export const aes128Size = (clear: number): number => (Math.floor(clear / 16) + 1) * 16;

/** The same in another thread: for files of some MB, which would hold up this one. */
export const aes128Elsewhere = async (bytes: Buffer, key: Buffer, iv: Buffer): Promise<Buffer> => {
  const imported = await webcrypto.subtle.importKey('raw', key, 'AES-CBC', false, ['encrypt']);
  return Buffer.from(await webcrypto.subtle.encrypt({ name: 'AES-CBC', iv }, imported, bytes));
};
