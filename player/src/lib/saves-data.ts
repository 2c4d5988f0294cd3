/** The browser was told to use little of the line. Only Chromium says so. */
export const savesData = (): boolean => (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
