package dev.sluice.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Lua script with its digest.
 *
 * @param source source text, for EVAL
 * @param sha1 SHA-1 of the source in hexadecimal, as Redis computes it, for EVALSHA
 */
public record LuaScript(String source, String sha1) {

    /** Lua expression with which the scripts read the time. */
    public static final String SERVER_TIME = "redis.call('TIME')";

    /** Loads a script from the resources in the package of a class. */
    public static LuaScript load(Class<?> anchor, String name) {
        return load(anchor, name, SERVER_TIME);
    }

    /**
     * Loads a script and replaces its time expression.
     *
     * @param timeExpression Lua expression for seconds and microseconds: {@link #SERVER_TIME}, or a test's own
     */
    public static LuaScript load(Class<?> anchor, String name, String timeExpression) {
        return load(anchor, List.of(name), timeExpression);
    }

    /** Loads a script of several parts, as {@link #load(Class, String, String)}. */
    public static LuaScript load(Class<?> anchor, List<String> names, String timeExpression) {
        try {
            var parts = new StringBuilder();
            for (var name : names) {
                try (var stream = anchor.getResourceAsStream(name)) {
                    parts.append(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
                }
            }
            var source = parts.toString().replace(SERVER_TIME, timeExpression);
            var digest = MessageDigest.getInstance("SHA-1").digest(source.getBytes(StandardCharsets.UTF_8));
            return new LuaScript(source, HexFormat.of().formatHex(digest));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
