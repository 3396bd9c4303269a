import { VisuallyHidden } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useId, useRef, useState, type ReactNode } from 'react';
import { WaitingButton } from './form';
import { Note } from './page';

/** Takes files by drag and drop, or by the file dialog for whoever has no mouse. */
export function DropZone(props: {
  children: ReactNode;
  multiple?: boolean;
  accept?: string;
  busy?: string | null;
  onFiles: (files: File[]) => void;
}) {
  const { children, multiple = false, accept, busy, onFiles } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isDragOver, setOver] = useState(false);
  const take = (list: FileList | null) => {
    const files = [...(list ?? [])];
    if (files.length > 0 && !busy) onFiles(multiple ? files : files.slice(0, 1));
  };
  return (
    <div
      className="drop-zone"
      data-over={isDragOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
    >
      <VisuallyHidden>
        <label htmlFor={id}>Files</label>
        <input
          id={id}
          ref={input}
          type="file"
          tabIndex={-1}
          multiple={multiple}
          accept={accept}
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = '';
          }}
        />
      </VisuallyHidden>
      <Note mb="xs">{children}</Note>
      <WaitingButton
        variant="default"
        leftSection={<IconUpload size={16} />}
        waits={busy ?? null}
        onClick={() => input.current?.click()}
      >
        Choose {multiple ? 'files' : 'a file'}
      </WaitingButton>
    </div>
  );
}
