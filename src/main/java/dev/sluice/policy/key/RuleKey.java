package dev.sluice.policy.key;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.sluice.api.Identifiers;
import dev.sluice.config.Suggestions;
import dev.sluice.identity.Sha256;

/**
 * Key of a rule: what its windows belong to, one or several parts of a request. Two requests have a window in common exactly if the
 * values of all parts are equal. Immutable.
 */
public final class RuleKey {

    /** Key of rules whose windows belong to the caller. */
    public static final RuleKey CALLER = new RuleKey(List.of(KeyPart.of(KeyPart.Kind.CALLER, null, false)));

    public static final String ALLOWED = "caller, ip, user, team, org, header:<name>, query:<name>, cookie:<name>, claim:<path>,"
            + " path:<template variable>; several separated by commas, each with '?' at its end if the rule does not apply to requests"
            + " without it";

    /** Bound of the identifiers of one request, if parts of it can be read in several ways. */
    static final int MAX_IDENTIFIERS = 4;

    private static final int MAX_PARTS = 8;
    private static final int MAX_NAME_LENGTH = 128;
    private static final Pattern FIELD_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Pattern PART = Pattern
            .compile("\\s*(?:(?:caller|ip|user|team|org)\\s*\\??\\s*(?:,|$)|(?:header|query|cookie|claim|path)\\s*:)");
    private static final List<String> EMPTY_VALUE = List.of("");
    private static final Pattern RESERVED = Pattern
            .compile("(?:(?:caller|ip|user|team|org|(?:header|query|cookie|claim|path):[^=|]+)=|sha256:[0-9a-f]{64}$).*");

    private final List<KeyPart> parts;

    private RuleKey(List<KeyPart> parts) {
        this.parts = List.copyOf(parts);
    }

    /**
     * Parses the parts of a key.
     *
     * @throws IllegalArgumentException if a part is not one; the message says which
     */
    public static RuleKey parse(List<String> texts) {
        var parts = new ArrayList<KeyPart>(texts.size());
        for (var text : texts) {
            var part = parsePart(text.strip());
            if (parts.stream().anyMatch(other -> other.label().equals(part.label()))) {
                throw new IllegalArgumentException("'" + text.strip() + "' is there twice");
            }
            parts.add(part);
        }
        if (parts.isEmpty() || parts.size() > MAX_PARTS) {
            throw new IllegalArgumentException("a key has 1 to " + MAX_PARTS + " parts");
        }
        return parts.size() == 1 && parts.get(0).kind() == KeyPart.Kind.CALLER ? CALLER : new RuleKey(parts);
    }

    private static KeyPart parsePart(String text) {
        boolean optional = text.endsWith("?");
        var part = optional ? text.substring(0, text.length() - 1).strip() : text;
        int colon = part.indexOf(':');
        var word = (colon < 0 ? part : part.substring(0, colon)).strip().toLowerCase(Locale.ROOT);
        var kind = Arrays.stream(KeyPart.Kind.values()).filter(each -> each.word().equals(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + text + "' is no part of a key" + hint(word)));
        var name = colon < 0 ? "" : part.substring(colon + 1).strip();
        if (kind.hasName() == name.isEmpty()) {
            throw new IllegalArgumentException(kind.hasName()
                    ? "'" + text + "' needs a name, such as " + word + ":id"
                    : "'" + text + "' has no name");
        }
        if (name.length() > MAX_NAME_LENGTH || !Identifiers.isValid('-' + name)) {
            throw new IllegalArgumentException("a name in a key has at most " + MAX_NAME_LENGTH + " characters");
        }
        if ((kind == KeyPart.Kind.HEADER || kind == KeyPart.Kind.COOKIE) && !FIELD_NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' cannot be the name of a " + word);
        }
        return KeyPart.of(kind, !kind.hasName() ? null : kind == KeyPart.Kind.HEADER ? name.toLowerCase(Locale.ROOT) : name,
                optional);
    }

    private static String hint(String word) {
        return Suggestions.hint(word, Arrays.stream(KeyPart.Kind.values()).map(KeyPart.Kind::word).toList());
    }

    /** Returns whether a text begins as a part of a key does, and not as a text with {@code {placeholders}}. */
    public static boolean isPart(String text) {
        return text.indexOf('{') < 0 && PART.matcher(text).lookingAt();
    }

    /** Returns whether the identifiers of keys may have this form, so that requests must not choose it. */
    public static boolean isReserved(String identifier) {
        return RESERVED.matcher(identifier).matches();
    }

    /** Returns whether the windows belong to the caller alone. */
    public boolean isCaller() {
        return this == CALLER;
    }

    /** Returns whether there are requests that have no identifier. */
    public boolean isOptional() {
        return parts.stream().anyMatch(KeyPart::optional);
    }

    /** Returns the variables of the path that the key reads. */
    public List<String> pathVariables() {
        return parts.stream().filter(part -> part.kind() == KeyPart.Kind.PATH).map(KeyPart::name).toList();
    }

    /**
     * Returns the identifiers whose windows a request counts in: usually one; several if parts of the request can be read in several
     * ways; none if the rule does not apply.
     * <p>
     * If there would be more than {@link #MAX_IDENTIFIERS}, it counts for the first value of each part, for the last one, and in a window
     * that all such requests share. A server that uses the first or the last value has counted it in that value's window. For a server
     * that uses another one, such requests have one more window, whatever their values are.
     */
    public List<String> identifiers(KeySource source) {
        if (isCaller()) {
            return List.of(source.caller().identifier());
        }
        var values = new ArrayList<List<String>>(parts.size());
        int combinations = 1;
        for (var part : parts) {
            var ofPart = part.values(source);
            if (ofPart.isEmpty() && part.optional()) {
                return List.of();
            }
            values.add(ofPart.isEmpty() ? EMPTY_VALUE : ofPart);
            combinations = Math.min(combinations * Math.max(1, ofPart.size()), MAX_IDENTIFIERS + 1);
        }
        if (combinations == 1) {
            return List.of(identifier(values, several -> several.get(0)));
        }
        return combinations > MAX_IDENTIFIERS ? ofTooMany(values) : ofEach(values);
    }

    private List<String> ofEach(List<List<String>> values) {
        var identifiers = List.of(new StringBuilder());
        for (int i = 0; i < values.size(); i++) {
            identifiers = append(identifiers, parts.get(i), values.get(i));
        }
        return identifiers.stream().map(text -> Sha256.toIdentifier("", text.toString())).toList();
    }

    private List<String> ofTooMany(List<List<String>> values) {
        return Stream.of(identifier(values, several -> several.get(0)),
                identifier(values, several -> several.get(several.size() - 1)),
                identifier(values, several -> several.size() > 1 ? null : several.get(0))).distinct().toList();
    }

    /** Returns the identifier that has one of the values of each part. */
    private String identifier(List<List<String>> values, Function<List<String>, String> choice) {
        var identifier = new StringBuilder(64);
        for (int i = 0; i < values.size(); i++) {
            parts.get(i).append(i == 0 ? identifier : identifier.append('|'), choice.apply(values.get(i)));
        }
        return Sha256.toIdentifier("", identifier.toString());
    }

    private static List<StringBuilder> append(List<StringBuilder> prefixes, KeyPart part, List<String> values) {
        var extended = new ArrayList<StringBuilder>(prefixes.size() * values.size());
        for (var prefix : prefixes) {
            for (var value : values) {
                var identifier = new StringBuilder(prefix);
                part.append(identifier.isEmpty() ? identifier : identifier.append('|'), value);
                extended.add(identifier);
            }
        }
        return extended;
    }

    /** Returns the parts as configured, separated by commas. */
    @Override
    public String toString() {
        return parts.stream().map(part -> part.kind().word() + (part.name() == null ? "" : ':' + part.name())
                + (part.optional() ? "?" : "")).collect(Collectors.joining(","));
    }
}
