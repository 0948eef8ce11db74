package dev.sluice.config;

/** There is no file, or it is no file of rows. The message says why, and quotes nothing of it but keys. */
final class InvalidRulesFileException extends Exception {

    private static final long serialVersionUID = 1L;

    InvalidRulesFileException(String message) {
        super(message);
    }

    InvalidRulesFileException(int line, String message) {
        super("line " + line + ": " + message);
    }
}
