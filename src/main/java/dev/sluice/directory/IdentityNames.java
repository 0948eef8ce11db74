package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Identifiers;

/**
 * Validates names of users, teams and organisations: 1 to {@value #MAX_LENGTH} visible characters (code points) of Unicode,
 * without {@code /}, and without a space at the start or end. {@code .} and {@code ..} are no names: paths are normalised, so that no
 * URL could name them.
 */
public final class IdentityNames {

    /** Maximum length, in Unicode code points. */
    public static final int MAX_LENGTH = 128;
    /** Text of the rule, for error messages. */
    public static final String RULE = "1 to " + MAX_LENGTH
            + " visible characters, without '/' and without spaces at the start or end";
    /** Text of the rule, to follow the name of a field. */
    public static final String ALLOWED = "must have " + RULE;

    private static final int REPLACEMENT = 0xFFFD;
    /**
     * Letters, marks and symbols without a shape: fillers of Hangul and Khitan, the grapheme joiner, inherent vowels of Khmer, selectors
     * of Mongolian, the blank pattern of Braille, the null notehead. Most have the property Default_Ignorable_Code_Point of Unicode.
     */
    private static final String INVISIBLE = "\u115F\u1160\u3164\uFFA0" + Character.toString(0x16FE4)
            + "\u034F\u17B4\u17B5\u180B\u180C\u180D\u180F\u2800" + Character.toString(0x1D159);

    private IdentityNames() {
    }

    /** Returns whether a text is a valid name. */
    public static boolean isValid(@Nullable String name) {
        return isVisible(name) && name.indexOf('/') < 0 && !name.equals(".") && !name.equals("..");
    }

    /** Returns whether a text consists of 1 to {@value #MAX_LENGTH} visible characters, without a space at the start or end. */
    public static boolean isVisible(@Nullable String text) {
        if (text == null || text.isEmpty() || Identifiers.isLonger(text, MAX_LENGTH) || isSpace(text.codePointAt(0))
                || isSpace(text.codePointBefore(text.length()))) {
            return false;
        }
        for (int i = 0; i < text.length();) { // a loop: called for each request
            int codePoint = text.codePointAt(i);
            if (!isVisible(codePoint)) {
                return false;
            }
            i += Character.charCount(codePoint);
        }
        return true;
    }

    private static boolean isVariationSelector(int codePoint) {
        return codePoint >= 0xFE00 && codePoint <= 0xFE0F || codePoint >= 0xE0100 && codePoint <= 0xE01EF;
    }

    private static boolean isSpace(int codePoint) {
        return Character.getType(codePoint) == Character.SPACE_SEPARATOR;
    }

    /** Invisible characters would make two names look the same, or change the direction of the text around them. */
    private static boolean isVisible(int codePoint) {
        if (codePoint > ' ' && codePoint < 0x7f) {
            return true;
        }
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR, Character.PRIVATE_USE, Character.UNASSIGNED ->
                false;
            case Character.SPACE_SEPARATOR -> codePoint == ' ';
            default -> codePoint != REPLACEMENT && INVISIBLE.indexOf(codePoint) < 0 && !isVariationSelector(codePoint);
        };
    }
}
