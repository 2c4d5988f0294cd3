/** Addresses of pictures. Those of a private video hold a grant of whoever asked, another one each hour. Pure. */

/** How the same picture is known again, whatever grant it is reached by: its name and its version. */
export const versionOf = (address: string): string => address.slice(address.lastIndexOf('/'));

/** There is a grant in it: it is good for an hour or two, and pages stay open longer. */
export const runsOut = (address: string): boolean => !address.includes('/play/-/');
