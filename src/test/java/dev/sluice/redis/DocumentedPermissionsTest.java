package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.RedisUser;

/** The user of Redis in the documentation may run all commands of the scripts and of the code, and no others. */
class DocumentedPermissionsTest {

    /** Commands in scripts stand in a call of Redis, or of a function that passes them on. */
    private static final Pattern IN_SCRIPTS = Pattern.compile("\\b(?:call|pcall|each|own|write)\\('([A-Z]+)'");
    private static final Pattern IN_CODE = Pattern.compile("\\bCommand\\.(?:create\\(\")?([A-Za-z]+)\\b");
    /** Sent when a connection is opened, by the client of Redis; the rest is that of the user of Sentinel. */
    private static final List<String> OF_CONNECTIONS = List.of("ping", "select");
    private static final List<String> OF_SENTINEL = List.of("sentinel");
    private static final List<String> NO_COMMANDS = List.of("create");

    private static Set<String> commands(Path root, String suffix, Pattern pattern) throws IOException {
        try (var files = Files.walk(root)) {
            var found = new TreeSet<String>();
            for (var file : files.filter(path -> path.toString().endsWith(suffix)).toList()) {
                pattern.matcher(Files.readString(file)).results().map(match -> match.group(1).toLowerCase(Locale.ROOT))
                        .forEach(found::add);
            }
            return found;
        }
    }

    @Test
    void userHasThePermissionsThatAreNeeded() throws IOException {
        var needed = commands(Path.of("src/main/resources"), ".lua", IN_SCRIPTS);
        assertThat(needed).hasSizeGreaterThan(40);
        needed.addAll(commands(Path.of("src/main/java"), ".java", IN_CODE));
        needed.addAll(OF_CONNECTIONS);
        needed.removeAll(OF_SENTINEL);
        needed.removeAll(NO_COMMANDS);
        // of a command with subcommands, one is permitted
        var permitted = RedisUser.documented().stream().filter(rule -> rule.startsWith("+"))
                .map(rule -> rule.substring(1).replaceFirst("\\|.*", "")).collect(Collectors.toCollection(TreeSet::new));
        assertThat(permitted).isEqualTo(needed);
    }
}
