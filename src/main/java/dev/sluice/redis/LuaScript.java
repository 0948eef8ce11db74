package dev.sluice.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A Lua script.
 *
 * @param source what EVAL takes
 * @param sha1 what EVALSHA takes: the source's SHA-1 in hexadecimal, as Redis computes it
 */
public record LuaScript(String source, String sha1) {

    /** How the scripts ask for the time. */
    public static final String SERVER_TIME = "redis.call('TIME')";

    /** A script of the resources beside this class. */
    public static LuaScript load(Class<?> anchor, String name) {
        return load(anchor, name, SERVER_TIME);
    }

    /** @param timeExpression the Lua expression for seconds and microseconds: {@link #SERVER_TIME}, or a test's own */
    public static LuaScript load(Class<?> anchor, String name, String timeExpression) {
        try (var stream = anchor.getResourceAsStream(name)) {
            var source = new String(stream.readAllBytes(), StandardCharsets.UTF_8).replace(SERVER_TIME, timeExpression);
            var digest = MessageDigest.getInstance("SHA-1").digest(source.getBytes(StandardCharsets.UTF_8));
            return new LuaScript(source, HexFormat.of().formatHex(digest));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
