(function(){
var f=document.getElementById('find'),k='stats-filter';
function show(){var t=f.value.toLowerCase();try{sessionStorage.setItem(k,f.value)}catch(e){}
document.querySelectorAll('section').forEach(function(s){var own=s.id.toLowerCase().indexOf(t)>=0,any=own;
s.querySelectorAll('tbody tr').forEach(function(r){var hit=own||r.id.toLowerCase().indexOf(t)>=0||r.textContent.toLowerCase().indexOf(t)>=0;r.hidden=!hit;any=any||hit});s.hidden=!any})}
try{f.value=sessionStorage.getItem(k)||''}catch(e){}
if(f.value)show();
f.addEventListener('input',show);
document.querySelectorAll('input.all').forEach(function(a){a.addEventListener('change',function(){a.closest('form').querySelectorAll('input[name=s]').forEach(function(c){if(!c.closest('tr').hidden)c.checked=a.checked})})});
})();
