package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

/** The public Java API is that of docs/compatibility.md: nothing outside of it is for users. */
class PublicApiTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.sluice");
    /** Public as a whole; of the other packages, only the listed types are. */
    private static final Set<String> PUBLIC_PACKAGES = Set.of("dev.sluice.api", "dev.sluice.llm");
    private static final Set<String> PUBLIC_TYPES = Set.of("dev.sluice.identity.IdentityResolver",
            "dev.sluice.identity.TierResolver", "dev.sluice.identity.Identity",
            "dev.sluice.identity.CredentialsRejectedException", "dev.sluice.identity.chain.IdentityChain",
            "dev.sluice.identity.chain.ChainLevel", "dev.sluice.identity.chain.OwnLimits",
            "dev.sluice.identity.chain.LlmRates", "dev.sluice.llm.client.LlmClients",
            "dev.sluice.llm.client.LlmClient", "dev.sluice.llm.client.LlmCallScope", "dev.sluice.llm.client.LlmRateLimitFilter",
            "dev.sluice.llm.client.LlmException");
    /** Usable, but without a promise. */
    private static final Set<String> PROVISIONAL = Set.of("dev.sluice.llm.ledger.Ledger", "dev.sluice.llm.ledger.UsageReport");

    private static boolean isForUsers(String name) {
        var type = name.contains("$") ? name.substring(0, name.indexOf('$')) : name;
        return PUBLIC_PACKAGES.contains(type.substring(0, type.lastIndexOf('.'))) || PUBLIC_TYPES.contains(type);
    }

    private static boolean isInternal(JavaClass type) {
        var base = type.getBaseComponentType();
        return base.getPackageName().startsWith("dev.sluice") && !isForUsers(base.getName());
    }

    private static boolean isAccessible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    @Test
    void everyListedTypeExistsAndIsPublic() {
        assertThat(PUBLIC_TYPES).allSatisfy(
                name -> assertThat(CLASSES.get(name).getModifiers()).as(name).contains(JavaModifier.PUBLIC));
        assertThat(CLASSES.stream().filter(JavaClass::isTopLevelClass).filter(type -> isForUsers(type.getName()))
                .filter(type -> !type.getSimpleName().equals("package-info")))
                .allSatisfy(type -> assertThat(type.getModifiers()).as(type.getName()).contains(JavaModifier.PUBLIC));
    }

    @Test
    void signaturesReferToNoInternalType() {
        var leaks = new TreeSet<String>();
        for (var type : CLASSES) {
            if (!isForUsers(type.getName()) || !isAccessible(type.getModifiers())) {
                continue;
            }
            type.getCodeUnits().stream().filter(unit -> isAccessible(unit.getModifiers()))
                    .filter(unit -> Stream.concat(unit.getAllInvolvedRawTypes().stream(), unit.getExceptionTypes().stream())
                            .anyMatch(PublicApiTest::isInternal))
                    .forEach(unit -> leaks.add(unit.getFullName()));
            type.getFields().stream().filter(field -> isAccessible(field.getModifiers()))
                    .filter(field -> field.getAllInvolvedRawTypes().stream().anyMatch(PublicApiTest::isInternal))
                    .forEach(field -> leaks.add(field.getFullName()));
        }
        assertThat(leaks).isEmpty();
    }

    @Test
    void publicPackagesAreNullMarked() {
        assertThat(Stream.concat(PUBLIC_PACKAGES.stream(), Stream.of("dev.sluice.identity", "dev.sluice.llm.client")))
                .allSatisfy(name -> assertThat(CLASSES.getPackage(name).isAnnotatedWith(NullMarked.class)).as(name).isTrue());
    }

    @Test
    void documentationListsThePublicTypes() throws IOException {
        var documented = new TreeSet<String>();
        var row = Pattern.compile("\\| `(dev\\.sluice\\.[a-z.]+)` \\| (.+) \\|");
        for (var line : Files.readAllLines(Path.of("docs/compatibility.md"))) {
            var matcher = row.matcher(line);
            if (matcher.matches()) {
                for (var type : matcher.group(2).split(", ")) {
                    documented.add(type.equals("all") ? matcher.group(1) : matcher.group(1) + '.' + type.replace("`", ""));
                }
            }
        }
        assertThat(documented).isEqualTo(Stream.concat(PUBLIC_PACKAGES.stream(), PUBLIC_TYPES.stream())
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void exampleImportsNoInternalType() throws IOException {
        var imports = Pattern.compile("^import (?:static )?(dev\\.sluice\\.[a-z.]+\\.[A-Z]\\w+)", Pattern.MULTILINE);
        try (var files = Files.walk(Path.of("examples/quarkus-app/src"))) {
            for (var file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
                assertThat(imports.matcher(Files.readString(file)).results().map(result -> result.group(1)))
                        .as(file.toString()).allMatch(type -> isForUsers(type) || PROVISIONAL.contains(type));
            }
        }
    }
}
