package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** User of Redis with the permissions of the documentation. */
public final class RedisUser {

    /** URL of the server with the user's name and password, up to the port. */
    private static final String URL = "redis://sluice:first-password@127.0.0.1:";

    private RedisUser() {
    }

    /** Returns the rules of the user in the documentation, without quotation marks. */
    public static List<String> documented() {
        try {
            var text = Files.readString(Path.of("docs/operations.md"));
            var command = Pattern.compile("redis-cli ACL SETUSER sluice ([^`]+)```").matcher(text).results().findFirst()
                    .orElseThrow().group(1);
            return List.of(command.replace("\\\n", " ").replace("'", "").trim().split("\\s+"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Creates the user.
     *
     * @return URL of the server for it
     */
    public static String create(RedisTestServer redis) {
        var reply = redis.send("ACL SETUSER sluice " + String.join(" ", documented()));
        if (!reply.equals("+OK")) {
            throw new IllegalStateException(reply);
        }
        return URL + redis.port();
    }
}
