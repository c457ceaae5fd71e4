<?php
// What to change in config.inc.php.

// How browsers reach it; behind a proxy it cannot tell.
$cfg['PmaAbsoluteUri'] = 'https://db.example.com/';

// MySQL's own sign-in, in a form. Not `config`, which would let everybody in as one account, and
// not `http`, whose Authorization stays at the gateway.
$cfg['Servers'][1]['auth_type'] = 'cookie';
$cfg['Servers'][1]['host'] = '127.0.0.1';
$cfg['Servers'][1]['AllowNoPassword'] = false;
$cfg['Servers'][1]['AllowRoot'] = false;
$cfg['AllowArbitraryServer'] = false;
