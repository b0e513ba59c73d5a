/* SPDX-License-Identifier: MIT */
/* empty.c - does nothing: what is left is the cost of starting. */
int main(void)
{
    return 0;
}
