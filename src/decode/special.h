/* SPDX-License-Identifier: MIT */
/*
 * special.h - what the special_*.c files share, inside decode/.
 *
 *   special.c           who is asked, and which structure is told how
 *   walk.c              fields, lists; structures with a tail
 *   special_walk.c      words and texts; building
 *   special_registry.c  values by their type
 *   special_io.c        control codes and their buffers
 *   special_socket.c    AFD: addresses, WSABUF arrays
 *   special_process.c   attributes, parameters, exceptions, ports
 *   special_security.c  SIDs, security descriptors
 *   special_win32k.c    messages, window classes, input
 *
 * A function that tells returns false when it knows nothing better than the
 * type does, and has then told nothing. `said` is how many bytes the target
 * says are there, SPECIAL_ANY if it does not say; what really is there is the
 * memory's to tell. No number from the target is added to before it is held
 * against `said`.
 */
#ifndef DECODE_SPECIAL_H
#define DECODE_SPECIAL_H

#include "decode/build.h"
#include "decode/tell.h"
#include "tables/fields.h"
#include "tables/ioctls.h"

#define SPECIAL_ANY UINT64_MAX

/* How a structure is told. */
enum special_tail {
    TAIL_NONE,
    TAIL_NAME,   // UTF-16 of as many bytes as another field says: a name
    TAIL_CHARS,  // bytes that are a name
    TAIL_DATA,   // bytes that are data
    TAIL_REST,   // bytes that are data, up to what is said to be there
    TAIL_ARRAY,  // as many elements as another field says
};

struct special_type {
    str name;
    uint8_t tail;        // enum special_tail
    const char *layout;  // structure of tables/ that it is; NULL: `name`
    const char *last;    // field that is the tail
    const char *length;  // field that says how long it is
    const char *brief;   // fields shown without -v; NULL: all
    /* Instead of the fields; NULL: they are told. */
    bool (*tell)(const struct tell *t, uint64_t address, uint64_t said);
    /* What to copy beyond it; NULL: the tail. */
    int (*build)(struct build *b, struct build_at at);
};

/* --- special.c --- */

/* NULL: nothing is special about it. */
const struct special_type *special_type_of(str name);
size_t special_type_count(void);
const struct special_type *special_type_at(size_t index);

bool special_is(const struct call_facts *call, const char *name);
bool special_arg_is(const struct call_facts *call, uint32_t i,
                    const char *name);

/* --- special_walk.c --- */

bool special_there(const struct tell *t, uint64_t address);
/* `size` bytes, at most 8, as a number. */
bool special_word(const struct tell *t, uint64_t address, uint32_t size,
                  uint64_t *out);
void special_open(const struct tell *t, const char *name);
void special_number(const struct tell *t, uint64_t value);
void special_hex(const struct tell *t, uint64_t value);
void special_named(const struct tell *t, uint64_t value, const char *set);
/* UTF-16 of `length` bytes, of which `room` are there. */
void special_name(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* The same for text that is data: cut by -s. */
void special_text(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* UTF-16 up to a zero; false, and nothing told, if it is not there. */
bool special_zero_name(const struct tell *t, uint64_t address);
/* Bytes as text, each a character (Latin-1). */
void special_chars(const struct tell *t, uint64_t address, uint64_t length,
                   uint64_t room);
void special_data(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* True if, `shown` elements of it being told, the next one is not: there are
 * enough of them, or in the whole call. To be asked before each. */
bool special_more(const struct tell *t, uint64_t shown);
/* Bytes of the output buffer `length`, of which `*written` were filled; NULL
 * `written`: those of the IO_STATUS_BLOCK. */
uint64_t special_said(const struct tell *t, const char *length,
                      const char *written);

/* An operation that copies `size` bytes behind argument or pointer `at`. */
struct capture_op special_op(struct build_at at, uint32_t size);
/* As many as argument `from` says, scaled. */
struct capture_op special_op_arg(struct build_at at, int from, uint32_t scale);
/* As many as the u16, u32, u64 (`unit`) in piece `piece` says, scaled. */
struct capture_op special_op_field(struct build_at at, enum capture_unit unit,
                                   int piece, uint16_t offset, uint32_t scale);
struct build_at special_at_arg(int arg, enum capture_when when);
struct build_at special_at_piece(int piece, uint16_t offset,
                                 enum capture_when when);
int special_build_tail(struct build *b, const struct special_type *type,
                       const struct struct_row *row, struct build_at at);

/* --- walk.c --- */

/* NULL: it has no field `name`, or `name` is NULL. */
const struct struct_field *special_field_of(const struct struct_row *row,
                                            const char *name);
/* Name and value of the field. */
void special_field(const struct tell *t, const struct struct_row *row,
                   const struct struct_field *field, uint64_t address);
/* All fields but those that no one needs. `type` NULL: none special. */
void special_struct(const struct tell *t, const struct struct_row *row,
                    const struct special_type *type, uint64_t address,
                    uint64_t said);
/* Of the structure's union the fields that count, if that is known. */
void special_union(const struct tell *t, const struct struct_row *row,
                   uint64_t address);
/* A buffer of `said` bytes that holds a `type`, or "X[]". False: it is too
 * small, or the type is not known. */
bool special_buffer(const struct tell *t, const char *type, uint64_t address,
                    uint64_t said);

/* --- the families --- */

bool special_registry_tell(const struct tell *t, const struct call_facts *call,
                           uint32_t i, uint64_t address);
bool special_registry_build(struct build *b, uint32_t i);
bool special_value_basic_tell(const struct tell *t, uint64_t address,
                              uint64_t said);
bool special_value_full_tell(const struct tell *t, uint64_t address,
                             uint64_t said);
bool special_value_partial_tell(const struct tell *t, uint64_t address,
                                uint64_t said);

bool special_io_tell(const struct tell *t, const struct call_facts *call,
                     uint32_t i, uint64_t address);
bool special_io_code(const struct tell *t, const struct call_facts *call,
                     uint32_t i, uint64_t value);
bool special_io_build(struct build *b, uint32_t i);
bool special_reparse_tell(const struct tell *t, uint64_t address,
                          uint64_t said);
bool special_ea_tell(const struct tell *t, uint64_t address, uint64_t said);

/* Buffers of AFD's control codes; `type` as in ioctls.def. */
bool special_socket_tell(const struct tell *t, const char *type,
                         uint64_t address, uint64_t said, bool output);
void special_socket_build(struct build *b, int input, int code);
/* `block`: the piece that is the IO_STATUS_BLOCK. */
void special_socket_build_return(struct build *b, int input, int code,
                                 int block);

bool special_exception_tell(const struct tell *t, uint64_t address,
                            uint64_t said);
bool special_attributes_tell(const struct tell *t, uint64_t address,
                             uint64_t said);
int special_attributes_build(struct build *b, struct build_at at);
bool special_parameters_tell(const struct tell *t, uint64_t address,
                             uint64_t said);
int special_parameters_build(struct build *b, struct build_at at);
bool special_extended_build(struct build *b, struct build_at at);
bool special_message_tell(const struct tell *t, uint64_t address,
                          uint64_t said);
int special_message_build(struct build *b, struct build_at at);

/* "S-1-5-18"; the address if it is none. */
void special_sid(const struct tell *t, uint64_t address, uint64_t said);
bool special_sid_tell(const struct tell *t, uint64_t address, uint64_t said);
int special_sid_build(struct build *b, struct build_at at);
int special_acl_build(struct build *b, struct build_at at);
bool special_acl_tell(const struct tell *t, uint64_t address, uint64_t said);
bool special_descriptor_tell(const struct tell *t, uint64_t address,
                             uint64_t said);
int special_descriptor_build(struct build *b, struct build_at at);
bool special_security_tell(const struct tell *t, const struct call_facts *call,
                           uint32_t i, uint64_t address);
bool special_security_build(struct build *b, uint32_t i);

bool special_win32k_value(const struct tell *t, const struct call_facts *call,
                          uint32_t i, uint64_t value);
bool special_window_value(const struct tell *t, const struct call_facts *call,
                          uint32_t i, uint64_t value);
void special_win32k_build(struct build *b, uint32_t i);
bool special_class_name_tell(const struct tell *t,
                             const struct call_facts *call, uint32_t i,
                             uint64_t address);
bool special_class_name_build(struct build *b, uint32_t i);
bool special_desktop_tell(const struct tell *t, const struct call_facts *call,
                          uint32_t i, uint64_t address);
bool special_desktop_build(struct build *b, uint32_t i);
bool special_msg_tell(const struct tell *t, uint64_t address, uint64_t said);
bool special_class_tell(const struct tell *t, uint64_t address, uint64_t said);
int special_class_build(struct build *b, struct build_at at);
bool special_large_string_tell(const struct tell *t, uint64_t address,
                               uint64_t said);
int special_large_string_build(struct build *b, struct build_at at);
bool special_menu_item_tell(const struct tell *t, uint64_t address,
                            uint64_t said);
int special_menu_item_build(struct build *b, struct build_at at);

#endif
