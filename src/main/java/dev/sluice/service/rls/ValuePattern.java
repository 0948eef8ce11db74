package dev.sluice.service.rls;

/** Pattern of a descriptor's value, in which each {@code *} stands for any number of characters. Matches in linear time. */
final class ValuePattern {

    private final String[] parts;
    private final int literalLength;

    ValuePattern(String pattern) {
        this.parts = pattern.split("\\*", -1);
        this.literalLength = pattern.length() - (parts.length - 1);
    }

    /** Returns the number of characters that are not {@code *}. */
    int literalLength() {
        return literalLength;
    }

    boolean matches(String value) {
        var last = parts[parts.length - 1];
        if (value.length() < literalLength || !value.startsWith(parts[0]) || !value.endsWith(last)) {
            return false;
        }
        int from = parts[0].length();
        int to = value.length() - last.length();
        for (int i = 1; i < parts.length - 1; i++) {
            int found = value.indexOf(parts[i], from);
            if (found < 0 || found + parts[i].length() > to) {
                return false;
            }
            from = found + parts[i].length();
        }
        return true;
    }
}
