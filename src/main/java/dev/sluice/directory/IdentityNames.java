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
        if (text.isEmpty() || text.length() > 2 * MAX_LENGTH || text.codePointCount(0, text.length()) > MAX_LENGTH) {
            return false;
        }
        return text.codePoints().allMatch(IdentityNames::isVisible);
    }

    private static boolean isVisible(int character) {
        return character != '/' && switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR, Character.PRIVATE_USE ->
                false;
            default -> true;
        };
    }
}
