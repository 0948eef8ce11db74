package dev.sluice.file;

/** There is no file, or it is no file of rows. The message says why, and quotes nothing of it but keys. */
final class UnreadableFileException extends Exception {

    private static final long serialVersionUID = 1L;

    UnreadableFileException(String message) {
        super(message);
    }

    UnreadableFileException(int line, String message) {
        super("line " + line + ": " + message);
    }
}
