package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.llm.protocol.Provider;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;

/** Verifies that the documented forms of a name are aliases, that nothing else is, and that the work is bounded. */
class ModelNamesPropertiesTest {

    /** Returns names that end with a letter, and are thus not themselves dated. */
    @Provide
    Arbitrary<String> bases() {
        return Arbitraries.strings().withChars("abcz0123456789-.").ofMaxLength(60).map(text -> "m" + text + "x");
    }

    @Provide
    Arbitrary<LocalDate> days() {
        return Arbitraries.longs().between(LocalDate.of(2018, 1, 1).toEpochDay(), LocalDate.of(2099, 12, 31).toEpochDay())
                .map(LocalDate::ofEpochDay);
    }

    private static String find(Provider provider, String name, String row) {
        return ModelNames.find(provider, name, candidate -> candidate.equals(row) ? row : null);
    }

    private static List<String> candidates(Provider provider, String name) {
        var candidates = new ArrayList<String>();
        ModelNames.find(provider, name, candidate -> {
            candidates.add(candidate);
            return null;
        });
        return candidates;
    }

    @Property
    void documentedFormsAreAliases(@ForAll Provider provider, @ForAll @From("bases") String base,
            @ForAll @From("days") LocalDate day,
            @ForAll @IntRange(min = 0, max = 999) int number) {
        var suffixes = List.of("", "-latest", "-" + day, day.format(DateTimeFormatter.ofPattern("-yyyyMMdd")),
                day.format(DateTimeFormatter.ofPattern("-MMdd")), "-%03d".formatted(number));
        for (var prefix : List.of("", "models/", provider.id() + '/', "models/" + provider.id() + '/')) {
            for (var suffix : suffixes) {
                assertThat(find(provider, prefix + base + suffix, base)).as(prefix + base + suffix).isEqualTo(base);
            }
        }
    }

    @Property
    void otherSuffixIsAnotherModel(@ForAll Provider provider, @ForAll @From("bases") String base,
            @ForAll @From("bases") String suffix) {
        assertThat(find(provider, base + '-' + suffix, base)).isNull();
        assertThat(find(provider, base + ':' + suffix, base)).isNull();
        assertThat(find(provider, base, base + "-latest")).isNull();
        assertThat(find(provider, base, base + "-2026-11-29")).isNull();
    }

    @Property
    void exactNameComesFirst(@ForAll Provider provider, @ForAll @StringLength(max = ModelNames.MAX_LENGTH) String name) {
        String found = ModelNames.find(provider, name, candidate -> candidate);
        assertThat(found).isEqualTo(name);
    }

    @Property
    void candidatesAreFewAndParts(@ForAll Provider provider, @ForAll @StringLength(max = 300) String name) {
        var candidates = candidates(provider, name);
        assertThat(candidates).hasSizeLessThanOrEqualTo(6).doesNotHaveDuplicates();
        assertThat(candidates.isEmpty()).isEqualTo(name.length() > ModelNames.MAX_LENGTH);
        candidates.forEach(candidate -> assertThat(name.replace('.', '-')).contains(candidate.replace('.', '-')));
    }

    @Property
    void fineTunedModelIsNotItsBase(@ForAll @From("bases") String base, @ForAll @StringLength(max = 100) String rest) {
        assertThat(candidates(Provider.OPENAI, "ft:" + base + ':' + rest)).contains("ft:" + base).doesNotContain(base);
    }
}
