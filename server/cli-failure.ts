/**
 * Why a command could not do its work, in a sentence for the operator, with an exit code of sysexits.h. Null: a
 * mistake of ours, whose stack is worth reading.
 */
import { CatalogError } from './catalog/errors.ts';
import { CertificateError } from './certificates.ts';
import { LadderError } from './ladders/read.ts';
import { PipelineError } from './pipeline/parse.ts';

/** 64 wrong usage, 69 something that is needed is taken, 70 our own fault, 74 the disk, 78 what the operator has set. */
export const EXIT = { usage: 64, unavailable: 69, software: 70, disk: 74, config: 78 } as const;

export type Failure = { readonly code: number; readonly sentence: string };

type SystemError = Error & { readonly code: string; readonly path?: string };

const isSystemError = (error: unknown): error is SystemError => error instanceof Error && 'code' in error && typeof error.code === 'string';

const aboutFolder = (code: string, data: string): Failure | null => {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return { code: EXIT.config, sentence: `This user cannot write into the data folder ${data}. Change its owner, mount its disk for writing, or name another folder with MILLRACE_DATA.` };
    case 'EROFS':
      return { code: EXIT.config, sentence: `The disk of the data folder ${data} can only be read. Mount it for writing, or name another folder with MILLRACE_DATA.` };
    case 'ENOENT':
    case 'EEXIST':
    case 'ENOTDIR':
      return { code: EXIT.config, sentence: `${data} is no folder, and cannot be made one. Name another with MILLRACE_DATA.` };
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: EXIT.disk, sentence: `There is no room left on the disk of the data folder ${data}. Make some, then start again.` };
    default:
      return null;
  }
};

const ofCatalog = ({ code, message }: CatalogError, data: string): Failure | null => {
  switch (code) {
    case 'unwritable':
      return aboutFolder('EACCES', data);
    case 'full':
      return aboutFolder('ENOSPC', data);
    case 'in-use':
      return { code: EXIT.unavailable, sentence: message };
    case 'from-the-future':
    case 'wrong-key':
    case 'damaged':
      return { code: EXIT.config, sentence: message };
    default:
      return null;
  }
};

/** `data`: the data folder, which most of what goes wrong at a start is about. */
export const failureOf = (error: unknown, data: string): Failure | null => {
  if (error instanceof CatalogError) return ofCatalog(error, data);
  if (error instanceof CertificateError || error instanceof LadderError || error instanceof PipelineError) return { code: EXIT.config, sentence: error.message };
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!isSystemError(cause)) return null;
  const words = error instanceof Error ? error.message : '';
  if ('syscall' in cause && (cause.syscall === 'listen' || cause.syscall === 'bind')) {
    return { code: cause.code === 'EADDRINUSE' ? EXIT.unavailable : EXIT.config, sentence: words };
  }
  return cause.path?.startsWith(data) || cause.path === undefined ? aboutFolder(cause.code, data) : null;
};
