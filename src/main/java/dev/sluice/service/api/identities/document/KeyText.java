package dev.sluice.service.api.identities.document;

import java.security.SecureRandom;

/** Texts of keys: {@value #PREFIX} and {@value #RANDOM} letters and digits, 190 random bits. */
public final class KeyText {

    /** Start of every text. */
    public static final String PREFIX = "sk-sluice-";
    /** Number of characters by which a key is recognised, the start included. */
    static final int SHOWN = 14;

    private static final int RANDOM = 32;
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private KeyText() {
    }

    /** Returns a new text. Any thread; takes microseconds. */
    public static String random() {
        var random = new SecureRandom(); // not in a static field: a native image would contain its state
        var text = new StringBuilder(PREFIX.length() + RANDOM).append(PREFIX);
        for (int i = 0; i < RANDOM; i++) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }

    /** Returns whether a text can be the start of a key, as it is shown. */
    static boolean isShownPrefix(Object value) {
        return value instanceof String text && text.length() == SHOWN && text.startsWith(PREFIX)
                && text.chars().skip(PREFIX.length()).allMatch(c -> ALPHABET.indexOf(c) >= 0);
    }

    /** Returns the start of a text, by which users recognise it. It does not help to guess the rest. */
    public static String shownPrefix(String text) {
        return text.substring(0, SHOWN);
    }
}
