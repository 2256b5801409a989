/** Text to the clipboard, also on pages that came by plain http from another machine, where the newer way is missing. */

export async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return byEvent(text); // no permission, or no secure context
  }
}

function byEvent(text: string): boolean {
  const set = (event: ClipboardEvent) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("copy", set, { capture: true });
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    document.removeEventListener("copy", set, { capture: true });
  }
}
