package dev.sluice.redis;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What all keys begin with: the prefix, and in braces one of 256 hash tags, by the identifier. All that belongs to one
 * identifier lies in one slot of a cluster, and what goes to one slot may go together.
 */
public final class HashTags {

    /** How many hash tags there are. */
    public static final int TAGS = 256;

    private static final String HASH = "HmacSHA256";

    private final String prefix;
    private final String[] tags = new String[TAGS];
    /** Null where the hash has no key. */
    private final SecretKeySpec hashKey;
    private final ThreadLocal<Mac> mac = ThreadLocal.withInitial(this::newMac);

    public HashTags(String prefix) {
        this(prefix, null);
    }

    /**
     * @param hashKey a secret of all instances, without which no caller can choose identifiers that share a hash tag, and so one
     *        slot of a cluster; null where there is none
     */
    public HashTags(String prefix, String hashKey) {
        this.prefix = prefix;
        this.hashKey = hashKey == null ? null : new SecretKeySpec(hashKey.getBytes(StandardCharsets.UTF_8), HASH);
        for (int i = 0; i < TAGS; i++) {
            tags[i] = prefix + ":{" + Integer.toHexString(TAGS + i).substring(1) + "}:";
        }
    }

    /** What the keys of an identifier begin with, up to and including a colon. */
    public String keyPrefix(String identifier) {
        return tags[tag(identifier)];
    }

    /** Which of the tags an identifier has: the same number, the same slot. */
    public int tag(String identifier) {
        return hashKey == null
                ? identifier.hashCode() * 0x9E3779B9 >>> 24
                : mac.get().doFinal(identifier.getBytes(StandardCharsets.UTF_8))[0] & 0xff;
    }

    private Mac newMac() {
        try {
            var mac = Mac.getInstance(HASH);
            mac.init(hashKey);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /** What the keys of a tag begin with. */
    public String keyPrefix(int tag) {
        return tags[tag];
    }

    /** A key that belongs to no identifier. */
    public String globalKey(String name) {
        return prefix + ':' + name;
    }

    /** Matches the keys whose tag is followed by one of these letters and a colon. */
    public String pattern(String letters) {
        return escape(prefix) + ":{[0-9a-f][0-9a-f]}:[" + letters + "]:*";
    }

    private static String escape(String glob) {
        var escaped = new StringBuilder();
        for (char c : glob.toCharArray()) {
            if ("*?[]\\".indexOf(c) >= 0) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }
}
