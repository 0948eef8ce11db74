package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import dev.sluice.config.SettingTable;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.ConfigMappingInterface.Property;
import io.smallrye.config.ConfigMappings;
import io.smallrye.config.ConfigMappings.ConfigClass;

/**
 * Compares the tables of docs/configuration.md with the interfaces annotated with {@link ConfigMapping}. A row is
 * {@code | `property` | `VARIABLE` | type | `default` | meaning |}. In a property, {@code <name>} stands for a map key, or for one
 * of several groups that have the same settings.
 */
class ConfigurationReferenceTest {

    private static final String PREFIX = "rate-limit.";
    private static final Pattern PLACEHOLDER = Pattern.compile("<[a-z0-9-]+>");
    private static final Pattern CELLS = Pattern.compile("(?<!\\\\)\\|");

    /** A row of the reference. */
    private record Entry(String property, String variable, String defaultValue) {

        boolean describes(String name) {
            var pattern = new StringBuilder();
            var placeholders = PLACEHOLDER.matcher(property);
            int end = 0;
            while (placeholders.find()) {
                pattern.append(Pattern.quote(property.substring(end, placeholders.start()))).append("[^.]+");
                end = placeholders.end();
            }
            return name.matches(pattern + Pattern.quote(property.substring(end)));
        }
    }

    private static final List<Entry> ENTRIES = new ArrayList<>();
    private static final Map<String, Property> PROPERTIES = new TreeMap<>();
    private static String serviceSettings;

    @BeforeAll
    static void read() throws IOException {
        for (var line : Files.readAllLines(Path.of("docs/configuration.md"))) {
            if (line.startsWith("| `" + PREFIX)) {
                var cells = CELLS.split(line);
                assertThat(cells).as(line).hasSize(6);
                ENTRIES.add(new Entry(cells[1].strip().replace("`", ""), cells[2].strip().replace("`", ""), cells[4].strip()));
            }
        }
        serviceSettings = Files.readString(Path.of("src/main/resources/application.properties"));
        new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.sluice").stream()
                .filter(type -> type.isAnnotatedWith(ConfigMapping.class))
                .forEach(type -> PROPERTIES.putAll(ConfigMappings.getProperties(ConfigClass.configClass(type.reflect()))));
        PROPERTIES.keySet().removeIf(name -> name.endsWith("[*]")); // an element of a list
    }

    @Test
    void everyPropertyIsDescribedOnce() {
        assertThat(PROPERTIES).hasSizeGreaterThan(50);
        assertThat(PROPERTIES.keySet()).allSatisfy(name -> assertThat(entries(name)).as(name).hasSize(1));
    }

    @Test
    void everyEntryIsAProperty() {
        assertThat(ENTRIES)
                .allSatisfy(entry -> assertThat(PROPERTIES.keySet()).as(entry.property()).anyMatch(entry::describes));
    }

    @Test
    void defaultsAreCorrect() {
        PROPERTIES.forEach((name, property) -> {
            var expected = property.hasDefaultValue() && property.getDefaultValue() != null
                    ? '`' + property.getDefaultValue() + '`'
                    : "none";
            assertThat(entries(name)).as(name).allSatisfy(entry -> assertThat(entry.defaultValue()).startsWith(expected));
        });
    }

    /** Values are checked by this table before they are converted. */
    @Test
    void tableOfSettingsIsComplete() {
        PROPERTIES.forEach((name, property) -> {
            var example = name.replace("*", "x").replace("rate-limit.llm.x.", "rate-limit.llm.openai.");
            assertThat(SettingTable.contains(example)).as(name).isTrue();
            var defaultValue = property.hasDefaultValue() ? property.getDefaultValue() : null;
            if (SettingTable.isConverted(example)) {
                assertThat(SettingTable.convertedDefault(example)).as(name).isEqualTo(defaultValue);
            } else if (property.isLeaf()) {
                var type = property.asLeaf().getValueRawType();
                assertThat(type).as(name + " would be converted without a check").isEqualTo(String.class);
            }
        });
    }

    @Test
    void variablesAreCorrect() {
        assertThat(ENTRIES).allSatisfy(entry -> {
            var byConvention = entry.property().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9<>]", "_");
            var inProperties = entry.property() + "=${" + entry.variable() + ':';
            assertThat(entry.variable().equals(byConvention) || serviceSettings.contains(inProperties)
                    || entry.variable().equals("–") && entry.property().contains("<")).as(entry.toString()).isTrue();
        });
    }

    /** Returns the entries of a property in whose name each map key is an asterisk. */
    private static List<Entry> entries(String name) {
        return ENTRIES.stream().filter(entry -> entry.describes(name)).toList();
    }
}
