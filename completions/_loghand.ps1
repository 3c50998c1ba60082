
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'loghand' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'loghand'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'loghand' {
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('tee', 'tee', [CompletionResultType]::ParameterValue, 'Copy lines to stdout, to files, and to any outlets behind -- (StreamHandler, FileHandler, NullHandler)')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Write lines to a file that rolls over by size, by the clock, or both (RotatingFileHandler, TimedRotatingFileHandler)')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Append lines to a file that somebody else rotates (WatchedFileHandler)')
            [CompletionResult]::new('ship', 'ship', [CompletionResultType]::ParameterValue, 'Send lines to a socket (SocketHandler, DatagramHandler)')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write manual pages and shell completions below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loghand;tee' {
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, 'Pass on records of this level and above')
            [CompletionResult]::new('--default-level', '--default-level', [CompletionResultType]::ParameterName, 'The level of records that show none')
            [CompletionResult]::new('--level-regex', '--level-regex', [CompletionResultType]::ParameterName, 'Find the level by the group ''level'' of this regular expression, as in ''^(?<level>[A-Z]+) ''')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The logger''s name, for --format')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write each record by this template, as in ''%(asctime)s %(levelname)s %(message)s'' or ''{asctime} {message}''')
            [CompletionResult]::new('--datefmt', '--datefmt', [CompletionResultType]::ParameterName, 'How asctime is written, as in strftime')
            [CompletionResult]::new('--terminator', '--terminator', [CompletionResultType]::ParameterName, 'What ends each record instead of a newline; \n, \r, \t, \0 and \\ are understood')
            [CompletionResult]::new('--multiline', '--multiline', [CompletionResultType]::ParameterName, 'A line that matches begins a record; the lines up to the next such line belong to it')
            [CompletionResult]::new('--multiline-lines', '--multiline-lines', [CompletionResultType]::ParameterName, 'Lines in one record at most')
            [CompletionResult]::new('--multiline-bytes', '--multiline-bytes', [CompletionResultType]::ParameterName, 'Bytes in one record at most')
            [CompletionResult]::new('--multiline-wait', '--multiline-wait', [CompletionResultType]::ParameterName, 'How long a record waits for its next line')
            [CompletionResult]::new('--capacity', '--capacity', [CompletionResultType]::ParameterName, 'Hold up to N records back')
            [CompletionResult]::new('--flush-level', '--flush-level', [CompletionResultType]::ParameterName, 'Hand on what is held when a record of this level comes')
            [CompletionResult]::new('--on-capacity', '--on-capacity', [CompletionResultType]::ParameterName, 'What a full buffer does: hand everything on, or forget the oldest record')
            [CompletionResult]::new('--flush-interval', '--flush-interval', [CompletionResultType]::ParameterName, 'Hand on what is held every so often')
            [CompletionResult]::new('--queue-size', '--queue-size', [CompletionResultType]::ParameterName, 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]')
            [CompletionResult]::new('--on-full', '--on-full', [CompletionResultType]::ParameterName, 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'a: append; w: begin with an empty file; x: the file must not exist')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Write in this encoding instead of the bytes as they come')
            [CompletionResult]::new('--errors', '--errors', [CompletionResultType]::ParameterName, 'What becomes of characters that the encoding does not have')
            [CompletionResult]::new('--chmod', '--chmod', [CompletionResultType]::ParameterName, 'Exact permission bits, as in 640 (without it the umask decides)')
            [CompletionResult]::new('--chown', '--chown', [CompletionResultType]::ParameterName, 'Owner and group, as in user:group')
            [CompletionResult]::new('--fsync', '--fsync', [CompletionResultType]::ParameterName, 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)')
            [CompletionResult]::new('--on-disk-full', '--on-disk-full', [CompletionResultType]::ParameterName, 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Remember in this file how far was read, and go on there the next time')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin in files that the checkpoint does not know')
            [CompletionResult]::new('--until-idle', '--until-idle', [CompletionResultType]::ParameterName, 'Leave when no line has come for so long')
            [CompletionResult]::new('--partial-after', '--partial-after', [CompletionResultType]::ParameterName, 'Hand on an unfinished last line, marked '' [partial]'', when it has not grown for so long; else it waits')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('--stderr', '--stderr', [CompletionResultType]::ParameterName, 'Copy to stderr instead of stdout')
            [CompletionResult]::new('--no-stdout', '--no-stdout', [CompletionResultType]::ParameterName, 'Copy to neither stdout nor stderr')
            [CompletionResult]::new('--flush-on-close', '--flush-on-close', [CompletionResultType]::ParameterName, 'At the end, hand on what is still held (the default, unless --on-capacity forget)')
            [CompletionResult]::new('--no-flush-on-close', '--no-flush-on-close', [CompletionResultType]::ParameterName, 'At the end, forget what is still held')
            [CompletionResult]::new('--delay', '--delay', [CompletionResultType]::ParameterName, 'Open the file only when the first line comes')
            [CompletionResult]::new('--mkdir', '--mkdir', [CompletionResultType]::ParameterName, 'Make missing folders')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is appended to the files, with the files that replace them, and with new ones')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'loghand;rotate' {
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Roll over before the file exceeds this size')
            [CompletionResult]::new('--when', '--when', [CompletionResultType]::ParameterName, 'Roll over by the clock: S, M, H, D (seconds … days since the file began), midnight, W0 (Monday) … W6')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'So many units make a period')
            [CompletionResult]::new('--at-time', '--at-time', [CompletionResultType]::ParameterName, 'The time of day for midnight and W0 … W6')
            [CompletionResult]::new('--backup-count', '--backup-count', [CompletionResultType]::ParameterName, 'Keep so many archives; 0 keeps all')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Delete archives last written longer ago (looked at when the program starts and at each rollover)')
            [CompletionResult]::new('--max-total-bytes', '--max-total-bytes', [CompletionResultType]::ParameterName, 'All files together never exceed this, the current one and temporary ones included: the oldest archives go first')
            [CompletionResult]::new('--namer', '--namer', [CompletionResultType]::ParameterName, 'How archives are called, by fields in braces: base, stem, ext, n, time, time:%Y%m%d-%H%M%S')
            [CompletionResult]::new('--rotator', '--rotator', [CompletionResultType]::ParameterName, 'Move the file by this command instead of renaming it; the writer waits for it')
            [CompletionResult]::new('--after-rotate', '--after-rotate', [CompletionResultType]::ParameterName, 'Run this command for each new archive, when it is compressed if it is to be')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'Compress archives in the background: gzip, or gzip:LEVEL (1 to 9, 6 if not given)')
            [CompletionResult]::new('--link', '--link', [CompletionResultType]::ParameterName, 'Keep a symlink that leads to the current file')
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, 'Pass on records of this level and above')
            [CompletionResult]::new('--default-level', '--default-level', [CompletionResultType]::ParameterName, 'The level of records that show none')
            [CompletionResult]::new('--level-regex', '--level-regex', [CompletionResultType]::ParameterName, 'Find the level by the group ''level'' of this regular expression, as in ''^(?<level>[A-Z]+) ''')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The logger''s name, for --format')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write each record by this template, as in ''%(asctime)s %(levelname)s %(message)s'' or ''{asctime} {message}''')
            [CompletionResult]::new('--datefmt', '--datefmt', [CompletionResultType]::ParameterName, 'How asctime is written, as in strftime')
            [CompletionResult]::new('--terminator', '--terminator', [CompletionResultType]::ParameterName, 'What ends each record instead of a newline; \n, \r, \t, \0 and \\ are understood')
            [CompletionResult]::new('--multiline', '--multiline', [CompletionResultType]::ParameterName, 'A line that matches begins a record; the lines up to the next such line belong to it')
            [CompletionResult]::new('--multiline-lines', '--multiline-lines', [CompletionResultType]::ParameterName, 'Lines in one record at most')
            [CompletionResult]::new('--multiline-bytes', '--multiline-bytes', [CompletionResultType]::ParameterName, 'Bytes in one record at most')
            [CompletionResult]::new('--multiline-wait', '--multiline-wait', [CompletionResultType]::ParameterName, 'How long a record waits for its next line')
            [CompletionResult]::new('--capacity', '--capacity', [CompletionResultType]::ParameterName, 'Hold up to N records back')
            [CompletionResult]::new('--flush-level', '--flush-level', [CompletionResultType]::ParameterName, 'Hand on what is held when a record of this level comes')
            [CompletionResult]::new('--on-capacity', '--on-capacity', [CompletionResultType]::ParameterName, 'What a full buffer does: hand everything on, or forget the oldest record')
            [CompletionResult]::new('--flush-interval', '--flush-interval', [CompletionResultType]::ParameterName, 'Hand on what is held every so often')
            [CompletionResult]::new('--queue-size', '--queue-size', [CompletionResultType]::ParameterName, 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]')
            [CompletionResult]::new('--on-full', '--on-full', [CompletionResultType]::ParameterName, 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'a: append; w: begin with an empty file; x: the file must not exist')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Write in this encoding instead of the bytes as they come')
            [CompletionResult]::new('--errors', '--errors', [CompletionResultType]::ParameterName, 'What becomes of characters that the encoding does not have')
            [CompletionResult]::new('--chmod', '--chmod', [CompletionResultType]::ParameterName, 'Exact permission bits, as in 640 (without it the umask decides)')
            [CompletionResult]::new('--chown', '--chown', [CompletionResultType]::ParameterName, 'Owner and group, as in user:group')
            [CompletionResult]::new('--fsync', '--fsync', [CompletionResultType]::ParameterName, 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)')
            [CompletionResult]::new('--on-disk-full', '--on-disk-full', [CompletionResultType]::ParameterName, 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Remember in this file how far was read, and go on there the next time')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin in files that the checkpoint does not know')
            [CompletionResult]::new('--until-idle', '--until-idle', [CompletionResultType]::ParameterName, 'Leave when no line has come for so long')
            [CompletionResult]::new('--partial-after', '--partial-after', [CompletionResultType]::ParameterName, 'Hand on an unfinished last line, marked '' [partial]'', when it has not grown for so long; else it waits')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Reckon and name in UTC instead of local time')
            [CompletionResult]::new('--delay-compress', '--delay-compress', [CompletionResultType]::ParameterName, 'Leave the youngest archive uncompressed until the next rollover')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Read nothing: roll over what is due, and leave')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'With --once: roll over whatever is not empty')
            [CompletionResult]::new('--copy-truncate', '--copy-truncate', [CompletionResultType]::ParameterName, 'With --once: copy the file and empty it, for programs that cannot reopen (lines written in between are lost)')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Change nothing: print what would be rolled over, named and deleted, and the next rollovers')
            [CompletionResult]::new('--flush-on-close', '--flush-on-close', [CompletionResultType]::ParameterName, 'At the end, hand on what is still held (the default, unless --on-capacity forget)')
            [CompletionResult]::new('--no-flush-on-close', '--no-flush-on-close', [CompletionResultType]::ParameterName, 'At the end, forget what is still held')
            [CompletionResult]::new('--delay', '--delay', [CompletionResultType]::ParameterName, 'Open the file only when the first line comes')
            [CompletionResult]::new('--mkdir', '--mkdir', [CompletionResultType]::ParameterName, 'Make missing folders')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is appended to the files, with the files that replace them, and with new ones')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'loghand;watch' {
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, 'Pass on records of this level and above')
            [CompletionResult]::new('--default-level', '--default-level', [CompletionResultType]::ParameterName, 'The level of records that show none')
            [CompletionResult]::new('--level-regex', '--level-regex', [CompletionResultType]::ParameterName, 'Find the level by the group ''level'' of this regular expression, as in ''^(?<level>[A-Z]+) ''')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The logger''s name, for --format')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write each record by this template, as in ''%(asctime)s %(levelname)s %(message)s'' or ''{asctime} {message}''')
            [CompletionResult]::new('--datefmt', '--datefmt', [CompletionResultType]::ParameterName, 'How asctime is written, as in strftime')
            [CompletionResult]::new('--terminator', '--terminator', [CompletionResultType]::ParameterName, 'What ends each record instead of a newline; \n, \r, \t, \0 and \\ are understood')
            [CompletionResult]::new('--multiline', '--multiline', [CompletionResultType]::ParameterName, 'A line that matches begins a record; the lines up to the next such line belong to it')
            [CompletionResult]::new('--multiline-lines', '--multiline-lines', [CompletionResultType]::ParameterName, 'Lines in one record at most')
            [CompletionResult]::new('--multiline-bytes', '--multiline-bytes', [CompletionResultType]::ParameterName, 'Bytes in one record at most')
            [CompletionResult]::new('--multiline-wait', '--multiline-wait', [CompletionResultType]::ParameterName, 'How long a record waits for its next line')
            [CompletionResult]::new('--capacity', '--capacity', [CompletionResultType]::ParameterName, 'Hold up to N records back')
            [CompletionResult]::new('--flush-level', '--flush-level', [CompletionResultType]::ParameterName, 'Hand on what is held when a record of this level comes')
            [CompletionResult]::new('--on-capacity', '--on-capacity', [CompletionResultType]::ParameterName, 'What a full buffer does: hand everything on, or forget the oldest record')
            [CompletionResult]::new('--flush-interval', '--flush-interval', [CompletionResultType]::ParameterName, 'Hand on what is held every so often')
            [CompletionResult]::new('--queue-size', '--queue-size', [CompletionResultType]::ParameterName, 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]')
            [CompletionResult]::new('--on-full', '--on-full', [CompletionResultType]::ParameterName, 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'a: append; w: begin with an empty file; x: the file must not exist')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Write in this encoding instead of the bytes as they come')
            [CompletionResult]::new('--errors', '--errors', [CompletionResultType]::ParameterName, 'What becomes of characters that the encoding does not have')
            [CompletionResult]::new('--chmod', '--chmod', [CompletionResultType]::ParameterName, 'Exact permission bits, as in 640 (without it the umask decides)')
            [CompletionResult]::new('--chown', '--chown', [CompletionResultType]::ParameterName, 'Owner and group, as in user:group')
            [CompletionResult]::new('--fsync', '--fsync', [CompletionResultType]::ParameterName, 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)')
            [CompletionResult]::new('--on-disk-full', '--on-disk-full', [CompletionResultType]::ParameterName, 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Remember in this file how far was read, and go on there the next time')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin in files that the checkpoint does not know')
            [CompletionResult]::new('--until-idle', '--until-idle', [CompletionResultType]::ParameterName, 'Leave when no line has come for so long')
            [CompletionResult]::new('--partial-after', '--partial-after', [CompletionResultType]::ParameterName, 'Hand on an unfinished last line, marked '' [partial]'', when it has not grown for so long; else it waits')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('--flush-on-close', '--flush-on-close', [CompletionResultType]::ParameterName, 'At the end, hand on what is still held (the default, unless --on-capacity forget)')
            [CompletionResult]::new('--no-flush-on-close', '--no-flush-on-close', [CompletionResultType]::ParameterName, 'At the end, forget what is still held')
            [CompletionResult]::new('--delay', '--delay', [CompletionResultType]::ParameterName, 'Open the file only when the first line comes')
            [CompletionResult]::new('--mkdir', '--mkdir', [CompletionResultType]::ParameterName, 'Make missing folders')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is appended to the files, with the files that replace them, and with new ones')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'loghand;ship' {
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'How records are told apart in a stream [default: lines; length for --encode pickle]')
            [CompletionResult]::new('--encode', '--encode', [CompletionResultType]::ParameterName, 'What is sent for each record')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long connecting may take, and each write')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Ask a silent TCP peer so often whether it is there; 0 never asks')
            [CompletionResult]::new('--retry-start', '--retry-start', [CompletionResultType]::ParameterName, 'The wait before the second attempt; a peer that only restarted is tried at once')
            [CompletionResult]::new('--retry-factor', '--retry-factor', [CompletionResultType]::ParameterName, 'How much longer each further wait is')
            [CompletionResult]::new('--retry-max', '--retry-max', [CompletionResultType]::ParameterName, 'The longest wait between attempts')
            [CompletionResult]::new('--give-up-after', '--give-up-after', [CompletionResultType]::ParameterName, 'Lose lines (counted and said) once the peer was away for so long [default: wait for ever]')
            [CompletionResult]::new('--drain-timeout', '--drain-timeout', [CompletionResultType]::ParameterName, 'At the end of the input, or at TERM, deliver what is left for so long; what then is left is counted and said')
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, 'Pass on records of this level and above')
            [CompletionResult]::new('--default-level', '--default-level', [CompletionResultType]::ParameterName, 'The level of records that show none')
            [CompletionResult]::new('--level-regex', '--level-regex', [CompletionResultType]::ParameterName, 'Find the level by the group ''level'' of this regular expression, as in ''^(?<level>[A-Z]+) ''')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The logger''s name, for --format')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write each record by this template, as in ''%(asctime)s %(levelname)s %(message)s'' or ''{asctime} {message}''')
            [CompletionResult]::new('--datefmt', '--datefmt', [CompletionResultType]::ParameterName, 'How asctime is written, as in strftime')
            [CompletionResult]::new('--terminator', '--terminator', [CompletionResultType]::ParameterName, 'What ends each record instead of a newline; \n, \r, \t, \0 and \\ are understood')
            [CompletionResult]::new('--multiline', '--multiline', [CompletionResultType]::ParameterName, 'A line that matches begins a record; the lines up to the next such line belong to it')
            [CompletionResult]::new('--multiline-lines', '--multiline-lines', [CompletionResultType]::ParameterName, 'Lines in one record at most')
            [CompletionResult]::new('--multiline-bytes', '--multiline-bytes', [CompletionResultType]::ParameterName, 'Bytes in one record at most')
            [CompletionResult]::new('--multiline-wait', '--multiline-wait', [CompletionResultType]::ParameterName, 'How long a record waits for its next line')
            [CompletionResult]::new('--capacity', '--capacity', [CompletionResultType]::ParameterName, 'Hold up to N records back')
            [CompletionResult]::new('--flush-level', '--flush-level', [CompletionResultType]::ParameterName, 'Hand on what is held when a record of this level comes')
            [CompletionResult]::new('--on-capacity', '--on-capacity', [CompletionResultType]::ParameterName, 'What a full buffer does: hand everything on, or forget the oldest record')
            [CompletionResult]::new('--flush-interval', '--flush-interval', [CompletionResultType]::ParameterName, 'Hand on what is held every so often')
            [CompletionResult]::new('--queue-size', '--queue-size', [CompletionResultType]::ParameterName, 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]')
            [CompletionResult]::new('--on-full', '--on-full', [CompletionResultType]::ParameterName, 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable')
            [CompletionResult]::new('--checkpoint', '--checkpoint', [CompletionResultType]::ParameterName, 'Remember in this file how far was read, and go on there the next time')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin in files that the checkpoint does not know')
            [CompletionResult]::new('--until-idle', '--until-idle', [CompletionResultType]::ParameterName, 'Leave when no line has come for so long')
            [CompletionResult]::new('--partial-after', '--partial-after', [CompletionResultType]::ParameterName, 'Hand on an unfinished last line, marked '' [partial]'', when it has not grown for so long; else it waits')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('--flush-on-close', '--flush-on-close', [CompletionResultType]::ParameterName, 'At the end, hand on what is still held (the default, unless --on-capacity forget)')
            [CompletionResult]::new('--no-flush-on-close', '--no-flush-on-close', [CompletionResultType]::ParameterName, 'At the end, forget what is still held')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is appended to the files, with the files that replace them, and with new ones')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'loghand;generate' {
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write a newline to this file descriptor once everything is open (as s6 wants it)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what was lost or failed')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'loghand;help' {
            [CompletionResult]::new('tee', 'tee', [CompletionResultType]::ParameterValue, 'Copy lines to stdout, to files, and to any outlets behind -- (StreamHandler, FileHandler, NullHandler)')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Write lines to a file that rolls over by size, by the clock, or both (RotatingFileHandler, TimedRotatingFileHandler)')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Append lines to a file that somebody else rotates (WatchedFileHandler)')
            [CompletionResult]::new('ship', 'ship', [CompletionResultType]::ParameterValue, 'Send lines to a socket (SocketHandler, DatagramHandler)')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write manual pages and shell completions below a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'loghand;help;tee' {
            break
        }
        'loghand;help;rotate' {
            break
        }
        'loghand;help;watch' {
            break
        }
        'loghand;help;ship' {
            break
        }
        'loghand;help;generate' {
            break
        }
        'loghand;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
