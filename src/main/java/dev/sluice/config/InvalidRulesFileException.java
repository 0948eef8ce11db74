package dev.sluice.config;

/**
 * Thrown if a rules file is missing or malformed. The message quotes nothing of the file except keys, as values may be secret.
 */
final class InvalidRulesFileException extends Exception {

    private static final long serialVersionUID = 1L;

    InvalidRulesFileException(String message) {
        super(message);
    }

    InvalidRulesFileException(int line, String message) {
        super("line " + line + ": " + message);
    }
}
