/* SPDX-License-Identifier: MIT */
/*
 * test_sha256 - report/sha256.c: the examples that NIST publishes with FIPS 180-4,
 * and every length around the edges of a block.
 */
#include "report/sha256.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

static str hex_of(str bytes)
{
    static char room[2 * SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];

    sha256(bytes, hash);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        room[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        room[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    return (str){ room, sizeof(room) };
}

static void published_examples(void)
{
    CHECK_STR(hex_of(STR("")), STR("e3b0c44298fc1c149afbf4c8996fb924"
                                   "27ae41e4649b934ca495991b7852b855"));
    CHECK_STR(hex_of(STR("abc")), STR("ba7816bf8f01cfea414140de5dae2223"
                                      "b00361a396177a9cb410ff61f20015ad"));
    CHECK_STR(hex_of(STR("abcdbcdecdefdefgefghfghighijhijk"
                         "ijkljklmklmnlmnomnopnopq")),
              STR("248d6a61d20638b8e5c026930c3e6039"
                  "a33ce45964ff2167f6ecedd419db06c1"));
    CHECK_STR(hex_of(STR("abcdefghbcdefghicdefghijdefghijkefghijklfghijklm"
                         "ghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                         "mnopqrstnopqrstu")),
              STR("cf5b16a778af8380036ce59e7b049237"
                  "0b249b11e8f07a51afac45037afee9d1"));
}

static void a_million_letters(void)
{
    size_t size = 1000000;
    char *bytes = malloc(size);

    if (bytes == NULL) {
        abort();
    }
    memset(bytes, 'a', size);
    CHECK_STR(hex_of((str){ bytes, size }),
              STR("cdc76e5c9914fb9281a1c7e284d73e67"
                  "f1809a48a497200e046d39ccc7112cd0"));
    free(bytes);
}

/* The hash of all hashes of 0 to 129 bytes 'a': where a block ends, and where the
 * length has no room in it. The number is sha256sum's. */
static void lengths_around_a_block(void)
{
    static char all[130 * SHA256_SIZE];
    char bytes[129];

    memset(bytes, 'a', sizeof(bytes));
    for (size_t i = 0; i < 130; i++) {
        sha256((str){ bytes, i }, (uint8_t *)all + i * SHA256_SIZE);
    }
    CHECK_STR(hex_of((str){ all, sizeof(all) }),
              STR("39a48225ae6069c68f7c9f867bf47f4a"
                  "2e188c3903dd919926b8259a73ecada5"));
}

int main(void)
{
    const struct test tests[] = {
        TEST(published_examples),
        TEST(a_million_letters),
        TEST(lengths_around_a_block),
    };

    return check_run(tests, COUNT_OF(tests));
}
