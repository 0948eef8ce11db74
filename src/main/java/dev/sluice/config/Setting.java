package dev.sluice.config;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Setting of Sluice.
 *
 * @param name property; {@code <name>} stands for a map key
 * @param type type of the value
 * @param defaultValue default value; null if there is none
 * @param choices the allowed words of a {@link SettingType#CHOICE}; otherwise empty
 * @param alias environment variable of the service beside the one that follows from the property; null if there is none
 * @param pattern matches the properties that this setting describes
 */
record Setting(String name, SettingType type, String defaultValue, List<String> choices, String alias, Pattern pattern) {

    private static final Pattern PLACEHOLDER = Pattern.compile("<[a-z0-9-]+>");

    Setting(String name, SettingType type, String defaultValue, List<String> choices, String alias) {
        this(name, type, defaultValue, choices, alias, pattern(name));
    }

    private static Pattern pattern(String name) {
        var regex = new StringBuilder();
        var placeholders = PLACEHOLDER.matcher(name);
        int end = 0;
        while (placeholders.find()) {
            regex.append(Pattern.quote(name.substring(end, placeholders.start()))).append("(?:\"[^\"]*\"|[^.\"]+)");
            end = placeholders.end();
        }
        return Pattern.compile(regex + Pattern.quote(name.substring(end)));
    }

    boolean hasPlaceholder() {
        return name.indexOf('<') >= 0;
    }

    boolean isSecret() {
        return type == SettingType.SECRET;
    }

    /** Returns the environment variable that follows from the property; placeholders stay as they are. */
    String variable() {
        return variable(name);
    }

    static String variable(String property) {
        return property.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9<>]", "_");
    }

    /** Returns the environment variable from which SmallRye Config reads a property; quotes are characters of the name. */
    static String variableOf(String property) {
        return variable(property.replace('"', '_'));
    }

    /** Returns a text in a form that the converters read; empty if it is invalid. */
    Optional<String> normalize(String text) {
        return type.normalize(text.strip(), choices);
    }

    /** Describes what is allowed in place of an invalid text. */
    String allowed(String text) {
        return type.allowed(text.strip(), defaultValue, choices);
    }
}
