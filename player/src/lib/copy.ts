/**
 * Copies text, also where the page has no secure context (plain http on a home network) and so no navigator.clipboard.
 * False: the browser refused; whoever asked shows the text selected instead.
 */
const bySelection = (text: string): boolean => {
  // A modal dialog makes all outside of it inert, so the helper goes into the topmost open one.
  const home = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const before = document.activeElement;
  const helper = document.createElement('textarea');
  helper.value = text;
  helper.readOnly = true;
  helper.setAttribute('aria-hidden', 'true');
  helper.className = 'off-screen';
  home.append(helper);
  helper.select();
  let copied = false;
  try {
    copied = document.execCommand('copy');
  } catch {
    copied = false;
  }
  helper.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return copied;
};

export const copyText = async (text: string): Promise<boolean> => {
  if (window.isSecureContext && 'clipboard' in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Denied by a permission or for want of focus: the older way may still work.
    }
  }
  return bySelection(text);
};
