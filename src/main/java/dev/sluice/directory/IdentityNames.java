package dev.sluice.directory;

/** Rule of the names of users, teams and organisations. */
public final class IdentityNames {

    /** Text of the rule, for error messages. */
    public static final String RULE = "1 to 128 visible characters without /";

    private static final int MAX_LENGTH = 128;

    private IdentityNames() {
    }

    /** Returns whether a text can be a name: 1 to 128 visible characters, without {@code /}. */
    public static boolean isValid(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); length++) { // a loop: called for each request
            int character = text.codePointAt(i);
            if (length == MAX_LENGTH || !isVisible(character)) {
                return false;
            }
            i += Character.charCount(character);
        }
        return length > 0;
    }

    private static boolean isVisible(int character) {
        if (character > ' ' && character < 0x7f) {
            return character != '/';
        }
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR, Character.PRIVATE_USE ->
                false;
            default -> true;
        };
    }
}
