import { useEffect, useState } from "preact/hooks";

const filesOf = (list: DataTransfer | null): File[] => [...(list?.files ?? [])];

/** Images dropped anywhere on the page, or pasted. Returns whether files hang over the page. */
export function useDrop(onFiles: (files: File[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      onFiles(filesOf(event.dataTransfer));
    };
    const paste = (event: ClipboardEvent) => onFiles(filesOf(event.clipboardData));
    document.addEventListener("dragover", drag);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("dragover", drag);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
      document.removeEventListener("paste", paste);
    };
  }, [onFiles]);
  return over;
}

/** A button that asks for image files. */
export const FilePicker = ({ onFiles, label }: { onFiles: (files: File[]) => void; label: string }) => (
  <label class="button picker">
    {label}
    <input
      type="file"
      accept="image/*"
      multiple
      onChange={(event) => {
        onFiles([...(event.currentTarget.files ?? [])]);
        event.currentTarget.value = "";
      }}
    />
  </label>
);
