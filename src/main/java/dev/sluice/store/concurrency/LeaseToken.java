package dev.sluice.store.concurrency;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.UUID;
import java.util.regex.Pattern;

import dev.sluice.api.Identifiers;

/**
 * Name of a lease, which says where it is stored: any instance can renew and free it. It cannot be guessed.
 *
 * @param id 32 random hexadecimal digits
 * @param seconds time for which it is valid
 */
public record LeaseToken(String id, long seconds, String identifier, String resource) {

    /** Maximum time for which a lease is valid: a day. */
    public static final long MAX_SECONDS = 86_400;

    /** {@code l-<id>-<seconds>-<length of the identifier>-<identifier and resource in Base64>}. */
    private static final Pattern TEXT = Pattern
            .compile("l-([0-9a-f]{32})-([1-9][0-9]{0,4})-([1-9][0-9]{0,2})-([A-Za-z0-9_-]{2,4096})");

    /** Creates a lease with a new id. */
    public static LeaseToken create(String identifier, String resource, long seconds) {
        return new LeaseToken(UUID.randomUUID().toString().replace("-", ""), seconds, identifier, resource);
    }

    /**
     * Parses a lease.
     *
     * @return null if the text is none
     */
    public static LeaseToken parse(String text) {
        var matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        String names;
        try {
            names = new String(Base64.getUrlDecoder().decode(matcher.group(4)), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return null;
        }
        int length = Integer.parseInt(matcher.group(3));
        long seconds = Long.parseLong(matcher.group(2));
        if (length >= names.length() || seconds > MAX_SECONDS) {
            return null;
        }
        var identifier = names.substring(0, length);
        var resource = names.substring(length);
        return Identifiers.isValid(identifier) && Identifiers.isValid(resource)
                ? new LeaseToken(matcher.group(1), seconds, identifier, resource)
                : null;
    }

    /** Returns the text of the lease, which is safe in a URL. */
    @Override
    public String toString() {
        return "l-" + id + '-' + seconds + '-' + identifier.length() + '-' + Base64.getUrlEncoder().withoutPadding()
                .encodeToString((identifier + resource).getBytes(StandardCharsets.UTF_8));
    }
}
