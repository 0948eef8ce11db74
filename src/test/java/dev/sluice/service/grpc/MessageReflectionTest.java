package dev.sluice.service.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import com.google.protobuf.GeneratedMessageLite;
import com.tngtech.archunit.core.importer.ClassFileImporter;

import io.quarkus.runtime.annotations.RegisterForReflection;

class MessageReflectionTest {

    private static final String MESSAGES = "dev.sluice.service.grpc.proto";

    @Test
    void everyMessageIsRegistered() {
        var registered = Arrays.stream(MessageReflection.class.getAnnotation(RegisterForReflection.class).targets())
                .map(Class::getName).collect(Collectors.toSet());
        var messages = new ClassFileImporter().importPackages(MESSAGES).stream()
                .filter(type -> type.isAssignableTo(GeneratedMessageLite.class)).map(type -> type.getName())
                .collect(Collectors.toSet());
        assertThat(messages).hasSizeGreaterThan(20);
        assertThat(registered).containsAll(messages);
        assertThat(registered).filteredOn(name -> !name.startsWith(MESSAGES))
                .containsExactlyInAnyOrderElementsOf(
                        Set.of("com.google.protobuf.Duration", "com.google.protobuf.UInt64Value"));
    }
}
